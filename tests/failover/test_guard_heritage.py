from pathlib import Path

import pytest

from failover import guard_board, guard_heritage, guard_store
from failover.guard_board import Board, Slot
from failover.guard_state import State
from failover.guard_store import Armed, Told

NOW_NS = 5000


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path, "web1")
    board.find(7)
    return board


def test_a_guard_takes_up_what_the_last_one_held(tmp_path: Path, board: Board) -> None:
    assert guard_heritage.adopted(tmp_path, "web1", board, NOW_NS) == State()
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    state = guard_heritage.adopted(tmp_path, "web1", Board(tmp_path, "web1"), NOW_NS)
    assert (state.epoch, state.deadline_ns, state.last_epoch, state.is_ready) == (42, 1000, 42, True)


@pytest.mark.parametrize(("epoch", "known"), [(42, "copy"), (41, None)])
def test_a_guard_knows_of_the_backup_that_the_last_one_told_of(
    tmp_path: Path, board: Board, epoch: int, known: str | None
) -> None:
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    guard_store.tell(tmp_path, Told("web1", 7, epoch, is_paused=False, reason="", backup="copy"))
    assert guard_heritage.adopted(tmp_path, "web1", board, NOW_NS).backup == known


def test_a_guard_goes_on_where_it_does_not_understand_the_last_one(tmp_path: Path, board: Board) -> None:
    """As after a change of the version."""
    board[Slot.EPOCH], board[Slot.DEADLINE] = 42, 1000
    for text in (b'{"domain": "web1", "what_only_a_later_one_tells": 1}', b"\xff"):
        (guard_board.directory(tmp_path, "web1") / "state").write_bytes(text)
        state = guard_heritage.adopted(tmp_path, "web1", board, NOW_NS)
        assert (state.epoch, state.is_ready, state.backup) == (42, True, None)


def test_an_epoch_in_which_a_guard_died_while_it_wrote_is_given_back(tmp_path: Path, board: Board) -> None:
    board[Slot.EPOCH], board[Slot.DEADLINE], board[Slot.TELLING] = 42, 1000, 42
    state = guard_heritage.adopted(tmp_path, "web1", board, NOW_NS)
    assert (state.epoch, state.burnt_epoch, state.is_released) == (0, 42, False)


def test_a_guard_is_armed_with_a_newer_epoch(board: Board) -> None:
    board[Slot.GUARD_PAUSED] = 1
    new = guard_heritage.armed(Armed(number=8, epoch=42, deadline_ns=1000), board, State(last_epoch=41))
    assert (new.epoch, new.deadline_ns, new.last_epoch, new.is_ready) == (42, 1000, 42, True)
    assert new.backup == ""
    assert (board[Slot.NUMBER], board[Slot.GUARD_PAUSED]) == (8, 0)


def test_an_older_epoch_does_not_arm(board: Board) -> None:
    state = State(last_epoch=41)
    assert guard_heritage.armed(Armed(number=8, epoch=41, deadline_ns=1000), board, state) == state
    assert board[Slot.NUMBER] == 7
