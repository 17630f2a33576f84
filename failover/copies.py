"""What is received here: in, a domain's name; out, the record that its receiver keeps, and how all of it is undone.

The record (`<run_dir>/receive/<domain>/state`) is written before each step that it announces. From `taking-over` on the
copy is the guest: nothing here touches it any more.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from failover import processes, xl
from failover.errors import FailoverError
from failover.processes import Process
from failover.settings import INCOMING
from telemetry import files

_log = logging.getLogger(__name__)

Phase = Literal["receiving", "protected", "held", "taking-over", "running"]
"""`held`: whole, its stream has ended, and nobody has yet decided."""

DECIDED: Final = frozenset({"taking-over", "running"})


class CopyError(FailoverError):
    """The copy cannot be undone; the text says what is left."""


@dataclass(frozen=True)
class Record:
    """One copy: `mark` is in the environment of all its processes, `pid` and `started` are its receiver's."""

    domain: str
    host: str
    mark: str
    pid: int
    started: int
    phase: Phase

    @property
    def receiver(self) -> Process:
        """The process that decides on it."""
        return Process(self.pid, self.started)

    @property
    def is_attended(self) -> bool:
        """Whether its receiver lives."""
        return processes.living(self.pid) == self.receiver


@dataclass(frozen=True)
class Undone:
    """What was found of a copy, and ended."""

    processes_killed: int
    was_destroyed: bool


def directory(run_dir: Path, domain: str) -> Path:
    """Where a domain's receiver keeps its lock, record and control socket."""
    return run_dir / "receive" / domain


def write(run_dir: Path, record: Record) -> None:
    """Replace the record; raises OSError."""
    files.replace(directory(run_dir, record.domain) / "state", json.dumps(asdict(record)) + "\n", durable=False)


def read(run_dir: Path, domain: str) -> Record | None:
    """The record of a domain; None where there is none. Raises CopyError for what is no record."""
    path = directory(run_dir, domain) / "state"
    try:
        text = files.read(path)
        if text is None:
            return None
        record = Record(**json.loads(text))
    except (RecursionError, TypeError, ValueError) as error:
        raise CopyError(f"{path}: not a record: {error}; see what runs with xl list, then remove it") from error
    if record.phase not in get_args(Phase):
        raise CopyError(f"{path}: no phase is called {record.phase!r}; see what runs with xl list, then remove it")
    return record


def domains(run_dir: Path) -> list[str]:
    """Those of which there may be a record."""
    try:
        return sorted(entry.name for entry in (run_dir / "receive").iterdir())
    except FileNotFoundError:
        return []


def all_records(run_dir: Path) -> list[Record]:
    """Every record; raises CopyError for one that is none."""
    return [record for domain in domains(run_dir) if (record := read(run_dir, domain)) is not None]


def undo(run_dir: Path, domain: str) -> Undone:
    """End a copy that was not woken: the xl that alone could wake it, all its processes, then the domain.

    The caller holds the domain's lock. Raises CopyError or XlError where it cannot be seen that it is gone.
    """
    record = read(run_dir, domain)
    if record is None or record.phase in DECIDED:
        return Undone(0, was_destroyed=False)
    found = processes.marked(xl.MARK, record.mark)
    if left := processes.kill(found):
        raise CopyError(f"{domain}: processes {[process.pid for process in left]} do not end by SIGKILL")
    was_destroyed = _destroyed(domain + INCOMING, xl.domains())
    forget(run_dir, domain)
    _log.info("%s: the copy is gone (%d processes killed, destroyed: %s)", domain, len(found), was_destroyed)
    return Undone(len(found), was_destroyed)


def forget(run_dir: Path, domain: str) -> None:
    """Remove the record."""
    (directory(run_dir, domain) / "state").unlink(missing_ok=True)


def _destroyed(name: str, there: Mapping[str, xl.Domain]) -> bool:
    if name not in there:
        return False
    xl.destroy(name)
    if name in xl.domains():
        raise CopyError(f"{name} is still there after xl destroy; look at it with xl list")
    return True
