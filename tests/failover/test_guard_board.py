from pathlib import Path

from failover.guard_board import Board, Slot, directory
from failover.pulse import Writer


def test_what_is_shared_in_memory_has_its_room_on_the_disk(tmp_path: Path) -> None:
    """Or to write it would be a SIGBUS where the disk is full."""
    Board(tmp_path, "web1")
    Writer(tmp_path / "pulse")
    for file in (directory(tmp_path, "web1") / "board", tmp_path / "pulse"):
        assert file.stat().st_blocks > 0


def test_numbers_outlive_who_has_written_them(tmp_path: Path) -> None:
    Board(tmp_path, "web1")[Slot.EPOCH] = 42
    assert Board(tmp_path, "web1")[Slot.EPOCH] == 42
