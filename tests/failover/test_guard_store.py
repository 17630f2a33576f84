from pathlib import Path

import pytest

from failover import guard_store
from failover.guard_board import Board, Slot, directory
from failover.guard_state import State
from failover.guard_store import Armed, GuardFileError, Told

NOW_NS = 5000


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
    assert guard_store.adopted(tmp_path, "web1", board, NOW_NS) == State()
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    state = guard_store.adopted(tmp_path, "web1", Board(tmp_path, "web1"), NOW_NS)
    assert (state.epoch, state.deadline_ns, state.last_epoch, state.is_ready) == (42, 1000, 42, True)


@pytest.mark.parametrize(("epoch", "known"), [(42, "copy"), (41, None)])
def test_a_guard_knows_of_the_backup_that_the_last_one_told_of(
    tmp_path: Path, board: Board, epoch: int, known: str | None
) -> None:
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    guard_store.tell(tmp_path, Told("web1", 7, epoch, is_paused=False, reason="", backup="copy"))
    assert guard_store.adopted(tmp_path, "web1", board, NOW_NS).backup == known


def test_an_epoch_in_which_a_guard_died_while_it_wrote_is_given_back(tmp_path: Path, board: Board) -> None:
    board[Slot.EPOCH], board[Slot.DEADLINE], board[Slot.TELLING] = 42, 1000, 42
    state = guard_store.adopted(tmp_path, "web1", board, NOW_NS)
    assert (state.epoch, state.burnt_epoch, state.is_released) == (0, 42, False)


def test_orders_of_a_backup(tmp_path: Path, board: Board) -> None:
    assert guard_store.wanted(tmp_path, "web1", 42) is None
    guard_store.protect(tmp_path, "web1", 42, "copy")
    assert guard_store.wanted(tmp_path, "web1", 42) == "copy"
    assert guard_store.wanted(tmp_path, "web1", 43) is None
    guard_store.alone(tmp_path, "web1")
    assert [guard_store.wanted(tmp_path, "web1", epoch) for epoch in (42, 43)] == ["", ""]
    (directory(tmp_path, "web1") / "backup").write_text('{"mark": "copy"}')
    with pytest.raises(GuardFileError, match="was not written by Hefery"):
        guard_store.wanted(tmp_path, "web1", 42)


def test_a_guard_is_armed_once_with_a_newer_epoch(tmp_path: Path, board: Board) -> None:
    state = State(last_epoch=41)
    assert guard_store.armed(tmp_path, "web1", board, state) == state
    board[Slot.GUARD_PAUSED] = 1
    guard_store.arm(tmp_path, "web1", Armed(number=8, epoch=42, deadline_ns=1000))
    new = guard_store.armed(tmp_path, "web1", board, state)
    assert (new.epoch, new.deadline_ns, new.last_epoch, new.is_ready) == (42, 1000, 42, True)
    assert new.backup == ""
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
