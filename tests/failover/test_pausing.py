"""Guard and minder on one domain: each pauses it once, and what an operator has paused stays so."""

from pathlib import Path
from typing import Any

import pytest

from failover import pausing
from failover.clock import now_ns
from failover.guard_board import Board, Slot
from failover.hypervisor import DomainState, HypervisorError
from telemetry.units import NS_PER_S

BOTH = (Slot.GUARD_PAUSED, Slot.MINDER_PAUSED)


class Counting:
    """Xen, as far as pauses are counted."""

    def __init__(self, pauses: int = 0) -> None:
        self.pauses, self.fails = pauses, False

    def pause(self, number: int) -> None:
        if self.fails:
            raise HypervisorError("no")
        self.pauses += 1

    def unpause(self, number: int) -> None:
        assert self.pauses
        self.pauses -= 1

    def state(self, number: int) -> DomainState:
        return DomainState(self.pauses > 0)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path, "web1")
    board.find(7)
    board[Slot.DEADLINE] = now_ns() + 1000 * NS_PER_S
    return board


@pytest.mark.parametrize("by_operator", [0, 1])
def test_both_pause_and_the_guard_undoes_both(board: Board, by_operator: int) -> None:
    xen: Any = Counting(by_operator)
    for _ in range(3):
        pausing.pause(xen, board, Slot.GUARD_PAUSED)
        pausing.pause(xen, board, Slot.MINDER_PAUSED)
    assert xen.pauses == by_operator + 2
    for _ in range(3):
        pausing.unpause(xen, board)
    assert xen.pauses == by_operator
    assert not pausing.is_ours(board)


@pytest.mark.parametrize("mine", [Slot.GUARD_PAUSED, Slot.MINDER_PAUSED])
def test_who_was_killed_before_the_call_does_it_again(board: Board, mine: Slot) -> None:
    xen: Any = Counting()
    board[mine] = 1
    assert pausing.pause(xen, board, mine)
    assert xen.pauses == 1


def test_what_an_operator_unpauses_is_paused_again(board: Board) -> None:
    xen: Any = Counting()
    pausing.pause(xen, board, Slot.GUARD_PAUSED)
    xen.unpause(7)
    assert pausing.pause(xen, board, Slot.GUARD_PAUSED)
    assert xen.pauses == 1


def test_a_pause_that_fails_is_not_written_down(board: Board) -> None:
    xen: Any = Counting()
    xen.fails = True
    with pytest.raises(HypervisorError):
        pausing.pause(xen, board, Slot.MINDER_PAUSED)
    assert not pausing.is_ours(board)


def test_a_guard_that_unpauses_while_the_minder_pauses_can_undo_it(board: Board) -> None:
    class Meanwhile(Counting):
        def pause(self, number: int) -> None:
            if not self.pauses:
                board[Slot.MINDER_PAUSED] = 0  # the guard was here
            super().pause(number)

    xen: Any = Meanwhile()
    pausing.pause(xen, board, Slot.MINDER_PAUSED)
    pausing.unpause(xen, board)
    assert xen.pauses == 0


def test_without_a_domain_there_is_nothing_to_pause(board: Board) -> None:
    xen: Any = Counting()
    board.find(0)
    assert not pausing.pause(xen, board, Slot.GUARD_PAUSED)
    assert xen.pauses == 0


@pytest.mark.parametrize("paused_by", [[Slot.GUARD_PAUSED], [Slot.MINDER_PAUSED], [*BOTH]])
@pytest.mark.parametrize("frozen_before", [1, 2])
def test_a_guard_that_is_frozen_while_it_unpauses_does_no_harm(
    board: Board, paused_by: list[Slot], frozen_before: int
) -> None:
    class Freezes(Counting):
        """The guard stands still before one of its calls, and the minder goes on."""

        calls = 0

        def unpause(self, number: int) -> None:
            self.calls += 1
            if self.calls == frozen_before:
                board[Slot.DEADLINE] = now_ns()
                pausing.pause(xen, board, Slot.MINDER_PAUSED)
            super().unpause(number)

    xen: Any = Freezes()
    for slot in paused_by:
        pausing.pause(xen, board, slot)
    is_done = pausing.unpause(xen, board)
    assert xen.calls >= frozen_before or is_done
    assert (xen.pauses > 0) is (xen.calls >= frozen_before)
    board[Slot.DEADLINE] = now_ns() + NS_PER_S
    while not pausing.unpause(xen, board) or pausing.is_ours(board):
        pass
    assert xen.pauses == 0


def test_one_that_is_overdue_is_not_unpaused(board: Board) -> None:
    xen: Any = Counting()
    for slot in BOTH:
        pausing.pause(xen, board, slot)
    board[Slot.DEADLINE] = now_ns()
    assert not pausing.unpause(xen, board)
    assert xen.pauses == 2
