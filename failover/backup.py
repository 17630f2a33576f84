"""The backup that a guest's record names: in, how its replication goes; out, orders to its guard (R1, R3).

A copy is the backup once it has two whole checkpoints, and no more from its stream's end on.
"""

import logging
import threading
from pathlib import Path
from typing import Final

from failover import caller, guard_store, peer, processes
from failover.errors import FailoverError
from failover.guard_store import GuardFileError
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2
_ASK_S: Final = 1.0
_ENOUGH: Final = 2
"""The first is the full copy; what was answered before it was whole is in the second (R1)."""
_ALONE_LIMIT_S: Final = 10.0


def forget(settings: RemusSettings, domain: str) -> bool:
    """Have no copy take over any more; whether that is so now. A guest's guard sees to it later, too."""
    if settings.lease is None:
        return True
    try:
        return _is_forgotten(settings.host.run_dir, domain)
    except (GuardFileError, OSError) as error:
        _log.error("%s: whether a copy may take over nobody can tell: %s", domain, error)
        return False


def insist_on_none(settings: RemusSettings, domain: str) -> None:
    """The same; raises ActError where it is not so."""
    if not forget(settings, domain):
        told = guard_store.current(settings.host.run_dir, domain)
        why = f"its guard says: {told.reason}" if told else f"hefery-guard@{domain} is not awake"
        raise ActError(f"{domain}: that no copy may take over could not be written: {why}")


def is_named(settings: RemusSettings, domain: str) -> bool:
    """Whether the guard knows that the record names a backup; true where there is no lease."""
    if settings.lease is None:
        return True
    told = guard_store.current(settings.host.run_dir, domain)
    return told is not None and bool(told.backup)


class Protection:
    """Of one stream, beside it: a thread of its own asks the receiver, and orders the guard."""

    def __init__(self, settings: RemusSettings, domain: DomainSettings, mark: str) -> None:
        """`mark` is the copy's, as its receiver has told."""
        self._settings, self._domain, self._mark = settings, domain, mark
        self._lock, self._has_ended = threading.Lock(), threading.Event()
        self._ordered_epoch = 0

    def begin(self) -> None:
        """Once there is a lease, and the receiver knows of it."""
        if self._settings.lease is None:
            return
        if not self._mark:
            _log.error("%s: its receiver tells no mark: it will not be protected", self._domain.name)
            return
        threading.Thread(target=self._run, daemon=True).start()

    def end(self) -> None:
        """The stream has ended: nothing is ordered after this."""
        if self._settings.lease is not None:
            with self._lock:
                self._has_ended.set()
                guard_store.alone(self._settings.host.run_dir, self._domain.name)

    def _run(self) -> None:
        is_whole = False
        while not self._has_ended.wait(_LOOK_S if is_whole else _ASK_S):
            try:
                is_whole = is_whole or self._is_whole()
                if is_whole:
                    self._order()
            except (FailoverError, OSError) as error:  # it is tried again
                _log.warning("%s is not known to be protected: %s", self._domain.name, error)

    def _is_whole(self) -> bool:
        """The peer's heartbeat comes first: each question starts a process there."""
        other = self._settings.peer_of(self._domain).name
        if self._domain.name not in peer.copies_held(self._settings.host.run_dir, other):
            return False
        session, answer = caller.call(self._settings, self._domain, "status")
        session.connection.close()
        count = answer.get("checkpoints")
        return isinstance(count, int) and count >= _ENOUGH

    def _order(self) -> None:
        """Once in an epoch, if the guard does not know it already."""
        told = guard_store.current(self._settings.host.run_dir, self._domain.name)
        if told is None or not told.epoch or self._mark == told.backup or self._ordered_epoch == told.epoch:
            return
        with self._lock:
            if not self._has_ended.is_set():
                self._ordered_epoch = told.epoch
                guard_store.protect(self._settings.host.run_dir, self._domain.name, told.epoch, self._mark)


def _is_forgotten(run_dir: Path, domain: str) -> bool:
    ordered_ns = guard_store.alone(run_dir, domain)

    def is_alone() -> bool:
        told = guard_store.current(run_dir, domain)
        return told is not None and told.ordered_ns >= ordered_ns and told.backup == ""

    return processes.wait_until(is_alone, _ALONE_LIMIT_S, _LOOK_S)
