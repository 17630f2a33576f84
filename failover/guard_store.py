"""What a guard leaves behind and is given: in, its board and files; out, what it takes up, and what others read."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from failover.errors import FailoverError
from failover.guard_board import Board, Slot, directory
from failover.guard_state import State
from telemetry import files

_TOLD: Final = "state"
_ARMED: Final = "armed"
_HANDED_OVER: Final = "handed-over"


class GuardFileError(FailoverError):
    """A file is not what a guard reads or writes."""


@dataclass(frozen=True)
class Told:
    """For status: `reason` is why a guest stands still, or that it may run."""

    domain: str
    number: int
    """In Xen; 0 where the domain is not here."""
    epoch: int
    """0 where the domain must not run."""
    is_paused: bool
    """By guard or minder."""
    reason: str


@dataclass(frozen=True)
class Armed:
    """A lease won by another process of this host, its disk given, and told of; the deadline is of lease.now_ns()."""

    number: int
    epoch: int
    deadline_ns: int


def tell(run_dir: Path, told: Told) -> None:
    """Replace what is there; raises OSError."""
    files.replace(directory(run_dir, told.domain) / _TOLD, json.dumps(asdict(told)) + "\n", durable=False)


def read(run_dir: Path, domain: str) -> Told | None:
    """What the guard of the domain said last; None where there never was one. Raises GuardFileError, OSError."""
    path = directory(run_dir, domain) / _TOLD
    text = files.read(path)
    try:
        return None if text is None else Told(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise GuardFileError(f"{path}: was not written by a guard: {error}; remove it") from error


def arm(run_dir: Path, domain: str, armed: Armed) -> None:
    """Have the guard of this host go on with a lease that the caller has won; from now on the caller does not renew."""
    files.replace(directory(run_dir, domain) / _ARMED, json.dumps(asdict(armed)) + "\n", durable=False)


def hand_over(run_dir: Path, domain: str, epoch: int) -> None:
    """Have the guard pause it and give the lease of that epoch back, for the other host to win; it may be refused."""
    files.replace(directory(run_dir, domain) / _HANDED_OVER, f"{epoch}\n", durable=False)


def handed_over(run_dir: Path, domain: str) -> int:
    """The epoch that is to be handed over, once; 0 for none. Raises GuardFileError."""
    path = directory(run_dir, domain) / _HANDED_OVER
    text = files.read(path)
    if text is None:
        return 0
    path.unlink(missing_ok=True)
    try:
        return int(text)
    except ValueError as error:
        raise GuardFileError(f"{path}: was not written by Hefery: {error}") from error


def adopted(board: Board) -> State:
    """What the guard before this one held; it is taken up until its deadline, and then only if renewed (G8)."""
    epoch, reason = board[Slot.EPOCH], "this guard has not renewed the lease yet"
    if not epoch:
        return State()
    return _held(epoch, board[Slot.DEADLINE], replace(State(), reason=reason))


def armed(run_dir: Path, domain: str, board: Board, state: State) -> State:
    """What the guard knows once it has been armed, if it has; an older epoch is passed over. Raises GuardFileError."""
    path = directory(run_dir, domain) / _ARMED
    text = files.read(path)
    if text is None:
        return state
    path.unlink(missing_ok=True)
    try:
        order = Armed(**json.loads(text))
        if order.epoch <= state.last_epoch:
            return state
        if board[Slot.NUMBER] != order.number:
            board.find(order.number)
        return _held(order.epoch, order.deadline_ns, State(reason="armed"))
    except (TypeError, ValueError) as error:
        raise GuardFileError(f"{path}: was not written by Hefery: {error}") from error


def _held(epoch: int, deadline_ns: int, state: State) -> State:
    return replace(
        state, epoch=epoch, last_epoch=epoch, deadline_ns=deadline_ns, is_fenced=True, is_told=True, held_since_ns=0
    )
