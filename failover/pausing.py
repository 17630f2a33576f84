"""A guest that stands still by the lease: in, the board; out, the domain paused once by each of guard and minder.

Xen counts pauses, and an operator may have paused it, too: what is written on the board is undone, and no more. The
last to be undone is the guard's own: where it is frozen just before, the minder's has come by the time it goes on.
"""

from failover.clock import now_ns
from failover.guard_board import Board, Slot
from failover.hypervisor import Hypervisor, HypervisorError


def pause(xen: Hypervisor, board: Board, mine: Slot) -> bool:
    """Whether it was still to be paused; `mine` is the caller's. Raises HypervisorError."""
    number = board[Slot.NUMBER]
    if not number or (board[mine] and _is_paused(xen, number)):
        return False
    board[mine] = 1
    try:
        xen.pause(number)
    except HypervisorError:
        board[mine] = 0
        raise
    board[mine] = 1  # again: the guard may have taken it away between the first and the pause
    return True


def unpause(xen: Hypervisor, board: Board) -> bool:
    """For the guard alone: whether nothing of it is left, as the deadline had not passed. Raises HypervisorError."""
    if board[Slot.MINDER_PAUSED]:
        pause(xen, board, Slot.GUARD_PAUSED)
        if _is_overdue(board):
            return False
        _undo(xen, board, Slot.MINDER_PAUSED)
    if _is_overdue(board):
        return False
    _undo(xen, board, Slot.GUARD_PAUSED)
    return True


def is_ours(board: Board) -> bool:
    """Whether guard or minder has paused it."""
    return bool(board[Slot.GUARD_PAUSED] or board[Slot.MINDER_PAUSED])


def _undo(xen: Hypervisor, board: Board, slot: Slot) -> None:
    number = board[Slot.NUMBER]
    if board[slot] and _is_paused(xen, number):
        xen.unpause(number)
    board[slot] = 0


def _is_overdue(board: Board) -> bool:
    return now_ns() >= board[Slot.DEADLINE]


def _is_paused(xen: Hypervisor, number: int) -> bool:
    state = xen.state(number)
    return state is not None and state.is_paused
