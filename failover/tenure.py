"""A lease while an act works under it: in, lease and fence of a guest; out, an epoch whose disk is this host's.

It is renewed by whoever waits for something, until this host's guard goes on with it. That one may be scheduled in real
time, as guards are: what it waits for is not.
"""

import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final

from failover.clock import now_ns
from failover.guard_state import Denied, Given
from failover.guard_workers import Done, Fence, Worker
from failover.lease import Held, Lease, Noted, OtherTerm, Refused, Unknown
from failover.lease_settings import LeaseSettings
from failover.patience import FENCE_LIMIT_NS
from failover.primary import ActError
from telemetry.units import NS_PER_S

_TTLS: Final = 3
"""For how many times to live a lease that somebody holds is waited for."""
_AGAIN_S: Final = 0.1


class Tenure:
    """One epoch. Each step raises ActError where it is over, or cannot be had."""

    def __init__(self, lease: Lease, fence: Fence, at: LeaseSettings) -> None:
        self._lease, self._fence, self._at = lease, fence, at
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._worker = Worker(self._done, at_leisure=True)
        self.epoch, self._until_ns = 0, 0

    @property
    def deadline_ns(self) -> int:
        """From when on the guest must not run in it, if nobody renews it."""
        return self._until_ns - int(self._at.ttl_s * NS_PER_S) + self._at.pause_ns

    def win(self) -> None:
        """For a guest of which nobody has a copy (A1): who holds its lease may be dead, and is waited for."""
        if isinstance(probed := self._fence.probe(), Unknown):
            raise ActError(f"the fence does not answer, so nothing is claimed: {probed.reason}")
        deadline_s = time.monotonic() + _TTLS * self._at.ttl_s
        while not isinstance(answer := self._lease.acquire(starts=True), Held):
            if time.monotonic() >= deadline_s:
                raise ActError(f"the lease is not to be had: {_why(answer)}")
            time.sleep(_AGAIN_S)
        self.epoch, self._until_ns = answer.epoch, answer.until_ns

    def fence(self) -> None:
        """Have the disk given to this epoch."""
        deadline_s = time.monotonic() + FENCE_LIMIT_NS / NS_PER_S
        while not isinstance(answer := self.during(partial(self._fence.give, self.epoch)), Given):
            if isinstance(answer, Denied) or time.monotonic() >= deadline_s:
                raise ActError(f"the disk is not to be had: {answer.reason}")
            time.sleep(_AGAIN_S)

    def take(self) -> None:
        """Tell that the guest is this host's."""
        self.renew()
        answer = self._lease.note(self.epoch)
        if not isinstance(answer, Noted):
            raise ActError(f"that the guest is this host's could not be written: {_why(answer)}")

    def during(self, work: Callable[[], Any]) -> Any:
        """What comes of it; the lease is renewed meanwhile. Raises what `work` raises, never before its end."""
        self._worker.ask(None, work)
        problem: Exception | None = None
        while (done := self._ended()) is None:
            try:
                self.renew()
            except ActError as error:
                problem = error
        self._worker.is_busy = False
        problem = done.answer if isinstance(done.answer, Exception) else problem
        if problem is not None:
            raise problem
        return done.answer

    def renew(self) -> None:
        """Hold it for another time to live."""
        answer = self._lease.renew(self.epoch)
        if isinstance(answer, Held):
            self._until_ns = answer.until_ns
        elif isinstance(answer, OtherTerm | Refused) or now_ns() >= self._until_ns:
            raise ActError(f"the lease is lost: {_why(answer)}")

    def _ended(self) -> Done | None:
        try:
            return self._done.get(timeout=self._at.renew_s)
        except Empty:
            return None

    def end(self) -> None:
        """Give it back, if that can be said; it ends by itself."""
        if self.epoch:
            self._lease.release(self.epoch)


def _why(answer: OtherTerm | Refused | Unknown) -> str:
    match answer:
        case Unknown(reason):
            return reason
        case OtherTerm(_, ttl_s):
            return f"it was won for {ttl_s:g} s"
        case Refused(record):
            return f"it is {record.holder}'s"
