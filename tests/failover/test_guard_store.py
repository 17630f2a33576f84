from dataclasses import replace
from pathlib import Path

import pytest

from failover import guard_store
from failover.clock import now_ns
from failover.guard_board import Board, Slot, directory
from failover.guard_store import Armed, GuardFileError, Told
from telemetry.units import NS_PER_S


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path, "web1")
    board.find(7)
    return board


def test_what_is_told_is_read(tmp_path: Path) -> None:
    assert guard_store.read(tmp_path, "web1") is None
    told = Told("web1", 7, 42, is_paused=True, reason="no answer")
    guard_store.tell(tmp_path, told)
    assert guard_store.read(tmp_path, "web1") == told


def test_orders_of_a_backup(tmp_path: Path, board: Board) -> None:
    assert guard_store.backup_order(tmp_path, "web1") is None
    guard_store.protect(tmp_path, "web1", 42, "copy")
    first = guard_store.backup_order(tmp_path, "web1")
    assert first is not None
    assert [first.in_epoch(epoch) for epoch in (42, 43)] == ["copy", None]
    ordered_ns = guard_store.alone(tmp_path, "web1")
    second = guard_store.backup_order(tmp_path, "web1")
    assert second is not None
    assert [second.in_epoch(epoch) for epoch in (42, 43)] == ["", ""]
    assert second.ordered_ns == ordered_ns > first.ordered_ns
    dead = replace(first, pid=2**22 + 1)
    another = replace(first, started=first.started + 1)
    assert [order.in_epoch(42) for order in (dead, another)] == ["", ""]


def test_a_guard_is_armed_once(tmp_path: Path, board: Board) -> None:
    assert guard_store.armed(tmp_path, "web1") is None
    order = Armed(number=8, epoch=42, deadline_ns=1000)
    guard_store.arm(tmp_path, "web1", order)
    assert guard_store.armed(tmp_path, "web1") == order
    assert guard_store.armed(tmp_path, "web1") is None


def test_what_a_guard_said_counts_while_it_is_awake(tmp_path: Path, board: Board) -> None:
    told = Told("web1", 7, 42, is_paused=False, reason="")
    guard_store.tell(tmp_path, told)
    assert guard_store.current(tmp_path, "web1") is None
    board[Slot.GUARD_TICK] = now_ns()
    assert guard_store.current(tmp_path, "web1") == told
    for wrong_ns in (-2 * NS_PER_S, 10 * NS_PER_S):
        board[Slot.GUARD_TICK] = now_ns() + wrong_ns
        assert guard_store.current(tmp_path, "web1") is None


def test_a_hand_over_is_ordered_once(tmp_path: Path) -> None:
    assert guard_store.handed_over(tmp_path, "web1") == 0
    guard_store.hand_over(tmp_path, "web1", 42)
    assert guard_store.handed_over(tmp_path, "web1") == 42
    assert guard_store.handed_over(tmp_path, "web1") == 0


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[1]", b"{", b"\xff", b"[" * 20000, b'{"number": "x"}', b'{"mark": "copy"}', b'{"a": 1, "b": 2}'],
)
def test_what_is_no_word_of_this_version_is_an_error_of_its_own(tmp_path: Path, board: Board, text: bytes) -> None:
    for name, read in (
        ("state", guard_store.read),
        ("armed", guard_store.armed),
        ("handed-over", guard_store.handed_over),
        ("backup", guard_store.backup_order),
    ):
        path = directory(tmp_path, "web1") / name
        path.write_bytes(text)
        with pytest.raises(GuardFileError, match=f"{path}: was not written by this version of Hefery"):
            read(tmp_path, "web1")
        assert path.exists() is (name in {"state", "backup"})


def test_numbers_are_numbers(tmp_path: Path, board: Board) -> None:
    """What arms a guard makes it run."""
    (directory(tmp_path, "web1") / "armed").write_text('{"number": 8, "epoch": "1", "deadline_ns": 1}')
    with pytest.raises(GuardFileError, match="epoch is '1'"):
        guard_store.armed(tmp_path, "web1")
