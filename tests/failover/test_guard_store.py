from pathlib import Path

import pytest

from failover import guard_store
from failover.guard_board import Board, Slot, directory
from failover.guard_state import State
from failover.guard_store import Armed, GuardFileError, Told


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
    (directory(tmp_path, "web1") / "state").write_text("{}")
    with pytest.raises(GuardFileError, match="was not written by a guard"):
        guard_store.read(tmp_path, "web1")


def test_a_guard_takes_up_what_the_last_one_held(tmp_path: Path, board: Board) -> None:
    assert guard_store.adopted(board) == State()
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    state = guard_store.adopted(Board(tmp_path, "web1"))
    assert (state.epoch, state.deadline_ns, state.last_epoch, state.is_ready) == (42, 1000, 42, True)


def test_a_guard_is_armed_once_with_a_newer_epoch(tmp_path: Path, board: Board) -> None:
    state = State(last_epoch=41)
    assert guard_store.armed(tmp_path, "web1", board, state) == state
    board[Slot.GUARD_PAUSED] = 1
    guard_store.arm(tmp_path, "web1", Armed(number=8, epoch=42, deadline_ns=1000))
    new = guard_store.armed(tmp_path, "web1", board, state)
    assert (new.epoch, new.deadline_ns, new.last_epoch, new.is_ready) == (42, 1000, 42, True)
    assert (board[Slot.NUMBER], board[Slot.GUARD_PAUSED]) == (8, 0)
    assert guard_store.armed(tmp_path, "web1", board, state) == state


def test_an_older_epoch_does_not_arm(tmp_path: Path, board: Board) -> None:
    guard_store.arm(tmp_path, "web1", Armed(number=8, epoch=41, deadline_ns=1000))
    assert guard_store.armed(tmp_path, "web1", board, State(last_epoch=41)) == State(last_epoch=41)
    assert board[Slot.NUMBER] == 7


def test_a_hand_over_is_ordered_once(tmp_path: Path) -> None:
    assert guard_store.handed_over(tmp_path, "web1") == 0
    guard_store.hand_over(tmp_path, "web1", 42)
    assert guard_store.handed_over(tmp_path, "web1") == 42
    assert guard_store.handed_over(tmp_path, "web1") == 0
    (directory(tmp_path, "web1") / "handed-over").write_text("at once")
    with pytest.raises(GuardFileError, match="was not written by Hefery"):
        guard_store.handed_over(tmp_path, "web1")


@pytest.mark.parametrize("text", ["", "{}", '{"number": "x"}', "[1]", '{"number": 8, "epoch": "1", "deadline_ns": 1}'])
def test_what_is_no_order_does_not_arm(tmp_path: Path, board: Board, text: str) -> None:
    (directory(tmp_path, "web1") / "armed").write_text(text)
    with pytest.raises(GuardFileError, match="was not written by Hefery"):
        guard_store.armed(tmp_path, "web1", board, State())
