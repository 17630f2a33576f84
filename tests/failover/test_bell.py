"""Who waits for a file hears of it at once, and looks all the same where he cannot."""

import select
from pathlib import Path

from failover.bell import Bell
from telemetry import files


def is_ready(bell: Bell) -> bool:
    return bool(select.select(bell.descriptors, [], [], 0)[0])


def test_it_rings_once_for_what_was_put_there_and_at_first(tmp_path: Path) -> None:
    files.replace(tmp_path / "before", "", durable=False)
    bell = Bell(tmp_path)
    assert bell.has_rung()
    assert not bell.has_rung()
    for name in ("armed", "backup"):
        files.replace(tmp_path / name, "", durable=False)
    assert is_ready(bell)
    assert bell.has_rung()
    assert not is_ready(bell)
    assert not bell.has_rung()


def test_what_is_half_written_or_taken_away_does_not_ring(tmp_path: Path) -> None:
    files.replace(tmp_path / "armed", "", durable=False)
    bell = Bell(tmp_path)
    bell.has_rung()
    (tmp_path / ".armed.new").write_text("half")
    (tmp_path / "armed").unlink()
    assert not bell.has_rung()


def test_it_is_rung_by_hand(tmp_path: Path) -> None:
    bell = Bell(tmp_path)
    bell.has_rung()
    bell.ring()
    assert bell.has_rung()


def test_what_cannot_be_watched_rings_always(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "none")
    assert [bell.has_rung() for _ in range(3)] == [True, True, True]
    assert not is_ready(bell)
