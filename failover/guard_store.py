"""What a guard is told, and tells: in, a domain; out, orders to its guard, and what that has said last.

It imports nothing that speaks to etcd: acts for which a guest may wait read and write here, and a start costs time.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from failover import processes
from failover.clock import now_ns
from failover.errors import FailoverError
from failover.guard_board import Board, directory
from failover.processes import Process
from telemetry import files

_TOLD: Final = "state"
_ARMED: Final = "armed"
_HANDED_OVER: Final = "handed-over"
_BACKUP: Final = "backup"

Said = TypeVar("Said")


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
    ordered_ns: int = 0
    """When the newest order of a backup was given that it knows of, by clock.now_ns()."""


@dataclass(frozen=True)
class Armed:
    """A lease won by another process of this host, its disk given, and told of; the deadline is of clock.now_ns()."""

    number: int
    epoch: int
    deadline_ns: int


@dataclass(frozen=True)
class BackupOrder:
    """Which copy may take over: that of `mark`, in this epoch alone; no copy where the mark is empty, in any epoch.

    Nor any once the process has ended whose stream the copy is of (R3): `pid` and `started`.
    """

    epoch: int
    mark: str
    ordered_ns: int
    pid: int
    started: int

    def in_epoch(self, epoch: int) -> str | None:
        """The mark that is to be written in it; None where it says nothing of that."""
        if not self.mark or processes.living(self.pid) != Process(self.pid, self.started):
            return ""
        return self.mark if self.epoch == epoch else None


def tell(run_dir: Path, told: Told) -> None:
    """Replace what is there; raises OSError."""
    files.replace(directory(run_dir, told.domain) / _TOLD, json.dumps(asdict(told)) + "\n", durable=False)


def read(run_dir: Path, domain: str) -> Told | None:
    """What the guard of the domain said last; None where there never was one. Raises GuardFileError, OSError."""
    return _read(directory(run_dir, domain) / _TOLD, partial(_made, Told))


def current(run_dir: Path, domain: str) -> Told | None:
    """The same, where the guard is awake; None where what it said may be old."""
    return read(run_dir, domain) if Board(run_dir, domain).is_guard_awake(now_ns()) else None


def arm(run_dir: Path, domain: str, armed: Armed) -> None:
    """Have the guard of this host go on with a lease that the caller has won; from now on the caller does not renew.

    Nor does the caller write: it has told of the guest, without a backup.
    """
    files.replace(directory(run_dir, domain) / _ARMED, json.dumps(asdict(armed)) + "\n", durable=False)


def hand_over(run_dir: Path, domain: str, epoch: int) -> None:
    """Have the guard pause it and give the lease of that epoch back, for the other host to win; it may be refused."""
    files.replace(directory(run_dir, domain) / _HANDED_OVER, f"{epoch}\n", durable=False)


def handed_over(run_dir: Path, domain: str) -> int:
    """The epoch that is to be handed over, once; 0 for none. Raises GuardFileError, OSError."""
    return _read(directory(run_dir, domain) / _HANDED_OVER, int, is_once=True) or 0


def protect(run_dir: Path, domain: str, epoch: int, mark: str) -> None:
    """Have the guard write that the copy of this mark may take over, while the caller lives; `Told` has the answer.

    Void in any other epoch.
    """
    _order_backup(run_dir, domain, epoch, mark)


def alone(run_dir: Path, domain: str) -> int:
    """Have the guard write that no copy may take over; it stands, over epochs and guards, until the next `protect`.

    It is done once the guard has `Told` that no backup is written, and of an order no older than the time returned.
    """
    return _order_backup(run_dir, domain, 0, "")


def backup_order(run_dir: Path, domain: str) -> BackupOrder | None:
    """What was ordered last; None where nothing ever was. Raises GuardFileError, OSError."""
    return _read(directory(run_dir, domain) / _BACKUP, partial(_made, BackupOrder))


def armed(run_dir: Path, domain: str) -> Armed | None:
    """What the guard is to go on with, once; None for nothing. Raises GuardFileError, OSError."""
    return _read(directory(run_dir, domain) / _ARMED, partial(_made, Armed), is_once=True)


def _order_backup(run_dir: Path, domain: str, epoch: int, mark: str) -> int:
    me = processes.this_process()
    order = BackupOrder(epoch, mark, now_ns(), me.pid, me.started)
    files.replace(directory(run_dir, domain) / _BACKUP, json.dumps(asdict(order)) + "\n", durable=False)
    return order.ordered_ns


def _read(path: Path, parse: Callable[[str], Said], *, is_once: bool = False) -> Said | None:
    """What the file says; None where there is none. Raises GuardFileError, OSError."""
    content = files.read_bytes(path)
    if content is None:
        return None
    if is_once:
        path.unlink(missing_ok=True)
    try:
        return parse(content.decode("ascii"))
    except (RecursionError, TypeError, ValueError) as error:
        raise GuardFileError(f"{path}: was not written by this version of Hefery: {error}; remove it") from error


def _made(kind: type[Said], text: str) -> Said:
    """A record of this kind; raises TypeError, ValueError."""
    made = kind(**json.loads(text))
    known: dict[str, Any] = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type] # a dataclass
    if wrong := [name for name, its in known.items() if not isinstance(getattr(made, name), its)]:
        raise TypeError(f"{wrong[0]} is {getattr(made, wrong[0])!r:.80}")
    return made
