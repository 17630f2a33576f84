from pathlib import Path

import pytest

from agent.protection import Protection, protection_path, read, show
from telemetry.units import NS_PER_S

FIGURES = {"interval_ms": 25.0, "pause_ms": None, "rate_per_s": 5.4, "protected": True}
T0_NS = 1_000 * NS_PER_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = protection_path(tmp_path, "web")
    path.parent.mkdir()
    return path


def test_what_is_shown_stands_for_a_while(path: Path) -> None:
    show(path, FIGURES, 1.0, T0_NS)
    assert read(path, T0_NS + 4 * NS_PER_S) == Protection(True, {"interval_ms": 25.0, "rate_per_s": 5.4})
    assert read(path, T0_NS + 5 * NS_PER_S) is None


def test_where_nothing_is_claimed_there_is_no_file(path: Path) -> None:
    show(path, {**FIGURES, "protected": False}, 1.0, T0_NS)
    told = read(path, T0_NS)
    assert told is not None
    assert not told.protected
    show(path, {}, 1.0, T0_NS)
    assert list(path.parent.iterdir()) == []


def test_a_directory_that_has_gone_stays_gone(path: Path) -> None:
    path.parent.rmdir()
    show(path, FIGURES, 1.0, T0_NS)
    assert not path.parent.exists()


def test_a_file_that_cannot_be_written_leaves_nothing_that_is_no_longer_so(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    show(path, FIGURES, 1.0, T0_NS)
    path.with_name(".replication.new").mkdir()
    show(path, {**FIGURES, "protected": False}, 1.0, T0_NS + 1)
    assert read(path, T0_NS) is None
    assert "Is a directory" in caplog.text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "until_monotonic_ns": 9e18, "protected": true}'])
def test_what_cannot_be_understood_says_nothing(path: Path, text: str) -> None:
    path.write_text(text)
    assert read(path, T0_NS) is None
