"""A guest that stands still by the lease: in, the board; out, the domain paused once by each of guard and minder.

Xen counts pauses, and an operator may have paused it, too: what is written on the board is undone, and no more.
"""

from failover.guard_board import Board, Slot
from failover.hypervisor import Hypervisor, HypervisorError

_OURS = (Slot.GUARD_PAUSED, Slot.MINDER_PAUSED)


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


def unpause(xen: Hypervisor, board: Board) -> None:
    """For the guard alone; the rest of what was paused is an operator's. Raises HypervisorError."""
    number = board[Slot.NUMBER]
    for slot in _OURS:
        if board[slot]:
            if _is_paused(xen, number):
                xen.unpause(number)
            board[slot] = 0


def is_ours(board: Board) -> bool:
    """Whether guard or minder has paused it."""
    return any(board[slot] for slot in _OURS)


def is_done(xen: Hypervisor, board: Board) -> bool:
    """Whether it stands still by that; raises HypervisorError."""
    return is_ours(board) and _is_paused(xen, board[Slot.NUMBER])


def _is_paused(xen: Hypervisor, number: int) -> bool:
    state = xen.state(number)
    return state is not None and state.is_paused
