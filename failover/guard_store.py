"""What a guard leaves behind and is given: in, its board and files; out, what it takes up, and what others read."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from failover.errors import FailoverError
from failover.guard_answers import burn
from failover.guard_board import Board, Slot, directory
from failover.guard_state import State
from telemetry import files

_TOLD: Final = "state"
_ARMED: Final = "armed"
_HANDED_OVER: Final = "handed-over"
_BACKUP: Final = "backup"


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
    backup: str | None = None
    """The mark of the copy that may take over, as etcd has it under this epoch; empty for none, None for unknown."""


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
    """Have the guard of this host go on with a lease that the caller has won; from now on the caller does not renew.

    Nor does the caller write: it has told of the guest, without a backup.
    """
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


def protect(run_dir: Path, domain: str, epoch: int, mark: str) -> None:
    """Have the guard write that the copy of this mark may take over; void in any other epoch. `Told` has the answer."""
    _order_backup(run_dir, domain, epoch, mark)


def alone(run_dir: Path, domain: str) -> None:
    """Have the guard write that no copy may take over; it stands, over epochs and guards, until the next `protect`."""
    _order_backup(run_dir, domain, 0, "")


def wanted(run_dir: Path, domain: str, epoch: int) -> str | None:
    """The mark that is to be written in this epoch, empty for none; None for no order. Raises GuardFileError."""
    path = directory(run_dir, domain) / _BACKUP
    text = files.read(path)
    if text is None:
        return None
    try:
        order = _Backup(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise GuardFileError(f"{path}: was not written by Hefery: {error}") from error
    return order.mark if order.epoch == epoch or not order.mark else None


def adopted(run_dir: Path, domain: str, board: Board, now_ns: int) -> State:
    """What the guard before this one held; it is taken up until its deadline, and then only if renewed (G8).

    Not where it died while it wrote of the guest, which may yet be done: no epoch outlives that (L2).
    """
    epoch, reason = board[Slot.EPOCH], "this guard has not renewed the lease yet"
    if not epoch:
        return State()
    if board[Slot.TELLING]:
        return burn(State(epoch=epoch, last_epoch=epoch), "the guard before this one died while it wrote", now_ns)
    told = read(run_dir, domain)
    backup = told.backup if told is not None and told.epoch == epoch else None
    return _held(epoch, board[Slot.DEADLINE], State(reason=reason, backup=backup))


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
        return _held(order.epoch, order.deadline_ns, State(reason="armed", backup=""))
    except (TypeError, ValueError) as error:
        raise GuardFileError(f"{path}: was not written by Hefery: {error}") from error


@dataclass(frozen=True)
class _Backup:
    epoch: int
    """0 where it does not matter."""
    mark: str


def _order_backup(run_dir: Path, domain: str, epoch: int, mark: str) -> None:
    order = _Backup(epoch, mark)
    files.replace(directory(run_dir, domain) / _BACKUP, json.dumps(asdict(order)) + "\n", durable=False)


def _held(epoch: int, deadline_ns: int, state: State) -> State:
    return replace(
        state, epoch=epoch, last_epoch=epoch, deadline_ns=deadline_ns, is_fenced=True, is_told=True, held_since_ns=0
    )
