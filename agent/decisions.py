"""The newest decisions: in, a store that may be slow or gone; out, what was last found there, without a wait."""

import logging
import threading
from collections.abc import Callable

from agent.clock import Now
from agent.evidence import Decision
from telemetry.store import Store, StoreError
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_LOOK_BACK_S = 120
"""How far back to look for a decision: twice the longest time that an order may stand."""


class DecisionFeed:
    """Asks the store on a thread of its own, so that a request that hangs holds nobody up.

    The governor says in `wanted` which domains it cares for, waits for `news`, and takes what has come.
    """

    def __init__(
        self, open_store: Callable[[], Store], period_s: float, read_clock: Callable[[], Now] = Now.read
    ) -> None:
        self._open_store = open_store
        self._period_s = period_s
        self._read_clock = read_clock
        self._lock = threading.Lock()
        self._found: tuple[list[Decision], Now] | None = None
        self._last: list[Decision] = []
        self._trouble: str | None = None
        self.wanted: frozenset[str] = frozenset()
        self.news = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Ask every period until `stop` is set."""
        store = self._open_store()
        try:
            while not stop.is_set():
                self.poll(store)
                stop.wait(self._period_s)
        finally:
            store.close()

    def take(self) -> tuple[list[Decision], Now] | None:
        """What has come since the last call, and when; None for nothing."""
        self.news.clear()
        with self._lock:
            found, self._found = self._found, None
        return found

    def poll(self, store: Store) -> None:
        """Ask once; a store that does not answer is logged, once, and asked again next time."""
        wanted = self.wanted
        if not wanted:
            return
        # a site of a few pairs is one answer; a host that protects one domain need not read the others'
        where = {"domain": next(iter(wanted))} if len(wanted) == 1 else None
        try:
            since_ns = max(0, self._read_clock().wall_ns - _LOOK_BACK_S * NS_PER_S)
            points = store.latest("decision", since_ns=since_ns, where=where)
        except StoreError as error:
            self._note(str(error))
            return
        self._note(None)
        decisions = [Decision.of(point) for point in points if point.tags["domain"] in wanted]
        if decisions != self._last:  # a decision is weighed at first sight: one refused then gets no better by waiting
            self._last = decisions
            with self._lock:
                self._found = decisions, self._read_clock()
            self.news.set()

    def _note(self, trouble: str | None) -> None:
        if (trouble is None) != (self._trouble is None):
            _log.warning("decisions: %s", trouble or "the store answers again")
        self._trouble = trouble
