"""Copies that are to go: in, a domain or all of them; out, what was ended, and the proof that nothing of it is left."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from failover import copies, events, locks, processes, xl
from failover.copies import CopyError
from failover.errors import FailoverError
from failover.settings import INCOMING
from failover.xl import XlError

_log = logging.getLogger(__name__)

_LOCK_LIMIT_S: Final = 30.0


class GivingUpError(FailoverError):
    """There is something that must not be ended; the text says what."""


@dataclass(frozen=True)
class GivenUp:
    """What there was of a copy."""

    had_copy: bool
    processes_killed: int
    was_destroyed: bool


def give_up(run_dir: Path, domain: str) -> GivenUp:
    """End a copy, its receiver first, which can then decide nothing. Nothing is left of it, or an error raised."""
    record = copies.read(run_dir, domain)
    had_copy = record is not None and record.phase not in copies.DECIDED
    if record is not None and had_copy and (left := processes.kill([record.receiver])):
        raise GivingUpError(f"the receiver of {domain} ({left[0].pid}) does not end by SIGKILL")
    with locks.held(lock_path(run_dir, domain), _LOCK_LIMIT_S):
        undone = copies.undo(run_dir, domain)
        there = xl.domains()
        if domain in there:
            raise GivingUpError(f"{domain} runs here: nothing was given up")
        was_destroyed = _clear_incoming(domain, there) or undone.was_destroyed
        copies.forget(run_dir, domain)
    return GivenUp(had_copy or was_destroyed, undone.processes_killed, was_destroyed)


def clear(run_dir: Path, domain: str) -> None:
    """Make room for a new copy, unless the domain is here. The caller holds the domain's lock."""
    copies.undo(run_dir, domain)
    there = xl.domains()
    if domain in there:
        raise GivingUpError(f"{domain} runs here: it cannot be received here, too")
    _clear_incoming(domain, there)
    copies.forget(run_dir, domain)


def clean(run_dir: Path) -> int:
    """End the copies whose receivers have died; 0 where none is left."""
    failed = 0
    for domain in copies.domains(run_dir):
        try:
            _clean(run_dir, domain)
        except (CopyError, XlError, locks.Locked) as error:  # one domain's trouble is not another's
            _log.error("%s", error)
            failed = 1
    return failed


def lock_path(run_dir: Path, domain: str) -> Path:
    """Who holds this lock decides on the domain's copy."""
    return copies.directory(run_dir, domain) / "lock"


def _clean(run_dir: Path, domain: str) -> None:
    record = copies.read(run_dir, domain)
    if record is None or record.is_attended or record.phase in copies.DECIDED:
        return
    with locks.held(lock_path(run_dir, domain), _LOCK_LIMIT_S):
        undone = copies.undo(run_dir, domain)
    events.tell("given_up", domain, f"its receiver died, nothing was woken (destroyed: {undone.was_destroyed})")


def _clear_incoming(domain: str, there: Mapping[str, xl.Domain]) -> bool:
    """Destroy a copy that no record tells of, if nothing can wake it any more."""
    name = domain + INCOMING
    if name not in there:
        return False
    if pids := [process.pid for process in processes.receiving(without=xl.MARK)]:
        raise GivingUpError(
            f"{name} is here, and xl migrate-receive ({pids}), which Hefery has not started: end it first"
        )
    xl.destroy(name)
    return True
