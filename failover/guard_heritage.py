"""What a guard takes up: in, the board, and what was left behind or ordered; out, what it knows from then on."""

import logging
from dataclasses import replace
from pathlib import Path

from failover import guard_store
from failover.guard_answers import burn
from failover.guard_board import Board, Slot
from failover.guard_state import State
from failover.guard_store import Armed, GuardFileError

_log = logging.getLogger(__name__)


def adopted(run_dir: Path, domain: str, board: Board, now_ns: int) -> State:
    """What the guard before this one held; it is taken up until its deadline, and then only if renewed (G8).

    Not where it died while it wrote of the guest, which may yet be done: no epoch outlives that (L2).
    """
    epoch, reason = board[Slot.EPOCH], "this guard has not renewed the lease yet"
    if not epoch:
        return State()
    if board[Slot.TELLING]:
        return burn(State(epoch=epoch, last_epoch=epoch), "the guard before this one died while it wrote", now_ns)
    return _held(epoch, board[Slot.DEADLINE], State(reason=reason, backup=_backup_in(epoch, run_dir, domain)))


def armed(order: Armed, board: Board, state: State) -> State:
    """What it knows once it was armed; an older epoch is passed over."""
    if order.epoch <= state.last_epoch:
        return state
    if board[Slot.NUMBER] != order.number:
        board.find(order.number)
    return _held(order.epoch, order.deadline_ns, State(reason="armed", backup=""))


def _backup_in(epoch: int, run_dir: Path, domain: str) -> str | None:
    """By the last words of the guard before this one, which may have been of another version."""
    try:
        told = guard_store.read(run_dir, domain)
    except (GuardFileError, OSError) as error:
        _log.error("%s", error)
        return None
    return told.backup if told is not None and told.epoch == epoch else None


def _held(epoch: int, deadline_ns: int, state: State) -> State:
    return replace(
        state, epoch=epoch, last_epoch=epoch, deadline_ns=deadline_ns, is_fenced=True, is_told=True, held_since_ns=0
    )
