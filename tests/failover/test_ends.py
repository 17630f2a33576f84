"""Word of ends, from a stand-in for xenstored."""

import select
from pathlib import Path

import pytest

from failover.ends import Ends
from tests.failover.fake_xenstored import FakeXenstored


def is_ready(ends: Ends) -> bool:
    return bool(select.select(ends.descriptors, [], [], 0.2)[0])


def test_each_end_is_told(xenstored: FakeXenstored) -> None:
    ends = Ends()
    assert xenstored.accept().split(b"\0")[0] == b"@releaseDomain"
    assert is_ready(ends)
    ends.hear()
    for _ in range(2):
        assert not is_ready(ends)
        xenstored.tell()
        assert is_ready(ends)
        ends.hear()


def test_a_xenstored_that_ends_is_not_asked_for_ever(
    xenstored: FakeXenstored, caplog: pytest.LogCaptureFixture
) -> None:
    ends = Ends()
    xenstored.accept()
    xenstored.close()
    ends.hear()
    ends.hear()
    assert ends.descriptors == ()
    assert caplog.text.count("xenstored has gone") == 1


def test_without_xenstored_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XENSTORED_PATH", str(tmp_path / "nothing"))
    ends = Ends()
    ends.hear()
    assert ends.descriptors == ()
    assert "nothing: [Errno 2]" in caplog.text
