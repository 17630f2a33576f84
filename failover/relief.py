"""A guard that another follows without a gap: in, a reload of its service; out, that other, once it is ready to go on.

To start Python takes a slow host longer than a lease lives. So the next guard starts while this one renews, and takes
up epoch and deadline then as any guard does that follows one (rule G8 of model/README.md).
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from failover.clock import now_ns
from failover.errors import FailoverError
from failover.lease import Lease, Unknown
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_FOLLOWS: Final = "HEFERY_GUARD_FOLLOWS"
"""Is in the environment of a guard that follows another."""
_PIPE: Final = 3
"""The descriptor by which that one says that it is ready."""
_READY: Final = b"1"
FOLLOW_LIMIT_S: Final = 10.0
"""For the one before to end what it has under way."""
_HEAR_LIMIT_S: Final = 5.0
START_LIMIT_NS: Final = 120 * NS_PER_S
"""From its start until it is ready; a slow host takes some fifteen seconds."""


class Unprepared(FailoverError):
    """This guard cannot follow another yet, which therefore goes on."""


class Relief:
    """Of this guard by the next one, which must be alive to count."""

    def __init__(self) -> None:
        self.pid = 0
        """The next one's; 0 for none."""
        self.is_ready = False
        self.descriptors: Sequence[int] = ()
        self._is_wanted = False
        self._until_ns = 0

    def want(self, *_: object) -> None:
        """A signal's handler: begin at the next look."""
        self._is_wanted = True

    def look(self) -> None:
        """Start it, hear it, or bury it."""
        if self._is_wanted and not self.pid:
            try:
                self._start()
            except OSError as error:
                _log.error("the guard that is to follow this one cannot be started: %s; this one goes on", error)
        self._is_wanted = False
        if self.pid and not self.is_ready and now_ns() >= self._until_ns:
            os.kill(self.pid, signal.SIGKILL)  # which closes its end of the pipe
        with suppress(BlockingIOError):
            for pipe in self.descriptors:
                self.is_ready = os.read(pipe, 1) == _READY
                if not self.is_ready:
                    self._bury(pipe)

    def _start(self) -> None:
        """Not in real time, as this one may be: nothing else would run meanwhile."""
        mine, its = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        environment = {name: value for name, value in os.environ.items() if name != "WATCHDOG_PID"} | {_FOLLOWS: "1"}
        command = (sys.executable, *sys.orig_argv[1:])
        at_leisure = (os.SCHED_OTHER, os.sched_param(0))
        its_pipe = (os.POSIX_SPAWN_DUP2, its, _PIPE)
        try:
            self.pid = os.posix_spawn(command[0], command, environment, file_actions=(its_pipe,), scheduler=at_leisure)
        except OSError:
            os.close(mine)
            raise
        finally:
            os.close(its)
        self.descriptors, self._until_ns = (mine,), now_ns() + START_LIMIT_NS
        _log.info("the guard that is to follow this one starts, process %d", self.pid)

    def _bury(self, pipe: int) -> None:
        _, status = os.waitpid(self.pid, 0)
        _log.error("the guard that was to follow this one has ended, status %d: this one goes on", status)
        os.close(pipe)
        self.pid, self.descriptors = 0, ()


def is_following() -> bool:
    """Whether this guard follows one that lives; it is then scheduled as that is."""
    if os.environ.pop(_FOLLOWS, None) is None:
        return False
    before = os.getppid()
    os.sched_setscheduler(0, os.sched_getscheduler(before), os.sched_getparam(before))
    return True


def say_ready(lease: Lease) -> None:
    """All that takes time is done, and the connection to the lease server is made; raises Unprepared."""
    if isinstance(answer := lease.look_within(_HEAR_LIMIT_S), Unknown):
        raise Unprepared(f"no answer of the lease server: {answer.reason}")
    os.write(_PIPE, _READY)


def say_nothing_more() -> None:
    """The other guard has ended."""
    os.close(_PIPE)
