"""What may take long: in, something to ask of lease server, fence or xl; out, its answer, in the asker's mailbox."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from failover.guard_state import Answer, Answers, Ask, Denied, Given, Won
from failover.lease import Held, Lease, Refused, Unknown
from failover.xl import XlError

_log = logging.getLogger(__name__)

_STACK_BYTES: Final = 1 << 19
"""A thread's stack is locked in memory whole."""


class Fence(Protocol):
    """Who may write the guest's disk (rules F); each call ends by itself, within some seconds."""

    def probe(self) -> Answers | Unknown:
        """Whether it answers."""
        ...

    def give(self, epoch: int) -> Given | Denied | Unknown:
        """Have the disk given to this host in this epoch; again for one that was not answered."""
        ...


class NoFence:
    """Where nothing keeps other hosts from the disk: what one that was frozen has under way may still be written."""

    def probe(self) -> Answers:
        """It is always there."""
        return Answers()

    def give(self, epoch: int) -> Given:
        """Nothing is done."""
        return Given(epoch)


class Worker:
    """One thread, one question at a time, for a loop that must not wait.

    One `at_leisure` and the processes that it starts are not scheduled in real time, as the loop may be: to start any
    takes a slow host seconds, in which nothing else would run.
    """

    def __init__(self, done: "SimpleQueue[Done]", *, at_leisure: bool = False) -> None:
        self._done, self._at_leisure = done, at_leisure
        self._work: SimpleQueue[tuple[object, Callable[[], object]]] = SimpleQueue()
        self.is_busy = False
        """From a question until the loop has heard the answer, and says so."""
        before = threading.stack_size(_STACK_BYTES)
        threading.Thread(target=self._run, daemon=True).start()
        threading.stack_size(before)

    def ask(self, asked: object, work: Callable[[], object]) -> None:
        """Begin with it."""
        assert not self.is_busy, "one question at a time"
        self.is_busy = True
        self._work.put((asked, work))

    def _run(self) -> None:
        if self._at_leisure:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # of this thread alone (sched(7))
        while True:
            asked, work = self._work.get()
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - the loop raises it: a guard that has lost a hand must end
                answer = error
            self._done.put(Done(self, asked, answer))


@dataclass(frozen=True)
class Done:
    """What a worker was asked, and what came of it: an answer, or what it has raised."""

    worker: Worker
    asked: object
    answer: Any


class Mailbox(SimpleQueue[Done]):
    """Answers, and a descriptor that is ready when one has come."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def put(self, item: Done, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - SimpleQueue's
        """As SimpleQueue does."""
        super().put(item, block, timeout)
        os.eventfd_write(self.descriptor, 1)

    def taken(self) -> Iterator[tuple[Any, Any]]:
        """All that has come: what was asked, and the answer. Raises what a worker has raised, but for XlError."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)
        with suppress(Empty):
            while True:
                done = self.get_nowait()
                done.worker.is_busy = False
                if isinstance(done.answer, XlError):
                    _log.warning("%s", done.answer)
                elif isinstance(done.answer, Exception):
                    raise done.answer
                else:
                    yield done.asked, done.answer


def of_lease(lease: Lease, ask: Ask, epoch: int, mark: str) -> Answer:
    """Ask it; one to four questions to etcd, and more where the guest has ended and nobody answers."""
    if ask is Ask.RENEW:
        return lease.renew(epoch)
    if ask is Ask.TELL:
        return lease.note(epoch, mark)
    if ask is Ask.RELEASE:
        return lease.release(epoch)
    if ask is Ask.END:
        return lease.end(epoch)
    if ask is Ask.LOOK:
        record = lease.look()
        return record if isinstance(record, Unknown) else Refused(record)
    answer = lease.acquire()
    # who has won has found the guest still this host's, or still nobody's, and nobody else writes from then on
    return Won(answer, bool(lease.seen.runner), lease.seen.backup) if isinstance(answer, Held) else answer


def of_fence(fence: Fence, ask: Ask, epoch: int) -> Answer:
    """Ask it."""
    return fence.probe() if ask is Ask.PROBE else fence.give(epoch)
