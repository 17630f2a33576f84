from pathlib import Path

import pytest

from failover import copies, giving_up
from failover.copies import Record

NOBODY = 2**22 + 1
LISTED = """#!/bin/sh
echo 'Name ID Mem VCPUs State Time(s)'
"""


def test_a_record_that_is_none_keeps_no_other_copy_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "bin" / "xl"
    program.parent.mkdir()
    program.write_text(LISTED)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    for domain in ("web1", "web2"):
        copies.write(tmp_path, Record(domain, "a", f"mark-of-{domain}", NOBODY, 1, "protected"))
    (copies.directory(tmp_path, "web1") / "state").write_text("nonsense")
    assert giving_up.clean(tmp_path) == 1
    assert copies.read(tmp_path, "web2") is None
    assert "see what runs with xl list" in caplog.text
