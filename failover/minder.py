"""The minder of a domain: in, the deadline that its guard last wrote down; out, the domain paused once that has passed.

A process of its own, under a unit of its own, so that the guard's death, stop or endless loop pauses, too (G1).
"""

import logging
import select
from pathlib import Path
from typing import Final

from failover import guard_board, locks, memory, pausing
from failover.bell import Bell
from failover.clock import now_ns
from failover.config import ConfigError
from failover.events import Seldom
from failover.guard_board import Board, Slot
from failover.hypervisor import Hypervisor, HypervisorError
from failover.settings import DomainSettings, RemusSettings
from telemetry.notify import Notifier
from telemetry.units import NS_PER_MS, NS_PER_S

_log = logging.getLogger(__name__)

_LOOK_NS: Final = NS_PER_S // 10
"""Where a guest must stand still."""
_SELDOM_NS: Final = NS_PER_S
"""Where there is none."""
_AFTER_NS: Final = 5 * NS_PER_MS
"""The guard goes first, where it lives, and says why."""


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Mind it until the process is ended; raises FailoverError, OSError where it cannot begin."""
    if settings.lease is None:
        raise ConfigError("there is no [lease] in the configuration: nothing says who may run a guest")
    folder = guard_board.directory(settings.host.run_dir, domain.name)
    with locks.held(folder / "minder.lock"):
        minder = Minder(settings.host.run_dir, domain.name, settings.lease.pause_ns)
        memory.lock()
        minder.look()
        notifier = Notifier()
        notifier.ready()
        while True:
            minder.wait()
            minder.look()
            minder.events.catch_up()
            notifier.alive()


class Minder:
    """Looks whenever a deadline may have passed."""

    def __init__(self, run_dir: Path, domain: str, pause_ns: int) -> None:
        """A deadline is at most `pause_ns` away, unless its guard says otherwise. Raises HypervisorError, OSError."""
        self._xen, self._board = Hypervisor(), Board(run_dir, domain)
        self._domain, self._pause_ns = domain, pause_ns
        self._bell = Bell(guard_board.directory(run_dir, domain))
        self.events = Seldom(domain)

    def look(self) -> None:
        """Pause it once its time is over, whether its guard has or not (pausing.py); it is the guard that unpauses."""
        self._board[Slot.MINDER_TICK] = at_ns = now_ns()
        late_ns = at_ns - self._board[Slot.DEADLINE]
        if -self._most_left_ns() <= late_ns < _AFTER_NS:  # one that is further away is of a clock that has gone back
            return
        try:
            is_alone = not self._board[Slot.GUARD_PAUSED]
            if pausing.pause(self._xen, self._board, Slot.MINDER_PAUSED) and is_alone:
                after = f" {late_ns / NS_PER_MS:.1f} ms after its deadline" if self._board[Slot.DEADLINE] else ""
                self.events.tell("paused", f"by its minder{after}: its guard did not")
        except HypervisorError as error:
            _log.error("%s: %s", self._domain, error)

    def wait(self) -> None:
        """For the next look, or for word of the guard: what it may do is told anew, or ordered."""
        select.select(self._bell.descriptors, [], [], self.left_ns() / NS_PER_S)
        self._bell.has_rung()

    def _most_left_ns(self) -> int:
        """A guard that has followed another may have begun with other settings than this minder."""
        return self._board[Slot.MOST_LEFT] or self._pause_ns

    def left_ns(self) -> int:
        """Until the next look: the deadline, which only moves on, as the askings that it is counted from do."""
        left_ns = self._board[Slot.DEADLINE] + _AFTER_NS - now_ns()
        if 0 < left_ns <= self._most_left_ns() + _AFTER_NS:
            return left_ns
        return _LOOK_NS if self._board[Slot.NUMBER] else _SELDOM_NS
