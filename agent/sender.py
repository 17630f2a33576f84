"""From spool to store: in, rows of the spool; out, their points in the store, and the rows deleted then."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.backoff import Backoff
from agent.events import Events
from agent.rows import Row
from agent.sift import decoded, sift
from agent.spool import Spool
from telemetry.store import Store, StoreError, StoreRefused, StoreUnavailable

_log = logging.getLogger(__name__)

_REQUESTS_A_BATCH = 64
"""After so many the rest of a batch waits for the next round, so that fresh points are not held up."""

_TRUST_S = 60.0
"""A store that has taken no point for so long and refuses every one is itself at fault: nothing is quarantined."""

_BACKOFF = Backoff(first_s=1.0, longest_s=30.0)
_REFUSED_WAIT_S = 60.0
_LONGEST_RETRY_AFTER_S = 300.0


class Sender:
    """Sends batches of the newest and of the oldest rows by turns: forecasts stay fresh while a backlog drains.

    What the store refuses is halved until the points at fault are alone, and those are quarantined. Sending a point
    again does no harm, so a batch of unknown fate is simply sent again.
    """

    def __init__(
        self,
        spool: Spool,
        open_store: Callable[[], Store],
        events: Events,
        *,
        batch_points: int,
        period_s: float,
        flush_s: float,
        backoff: Backoff = _BACKOFF,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._spool = spool
        self._open_store = open_store
        self._events = events
        self._most = self._limit = batch_points
        self._period_s = period_s
        self._flush_s = flush_s
        self._backoff = backoff
        self._monotonic_s = monotonic_s
        self._wall_ns = wall_ns
        self._accepted_s = -float("inf")
        self._failures = 0
        self._store: Store | None = None
        self._trouble: str | None = None
        self.sent = 0
        """Points sent since the start."""

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, then what can be sent at once and within `flush_s`."""
        try:
            while not stop.is_set():
                stop.wait(self.step())
            end_s = self._monotonic_s() + self._flush_s
            while not self._failures and self._spool.oldest(1) and self._monotonic_s() < end_s:
                self.step()
        finally:
            self._close()

    def step(self) -> float:
        """Send a batch of each lane; the seconds to wait before the next step."""
        try:
            more = self._round(self._opened())
        except StoreError as error:
            self._failures += 1
            self._report(error)
            return self._wait_s(error)
        self._failures = 0
        self._report(None)
        return 0.0 if more else self._period_s

    def _round(self, store: Store) -> bool:
        """Send the newest rows, then the oldest if those were not all; whether there may be more."""
        fresh = self._spool.newest(self._limit)
        more = len(fresh) >= self._limit
        self._send(store, fresh)
        if more:
            self._send(store, self._spool.oldest(self._limit))
        self._limit = min(self._most, 2 * self._limit)
        return more

    def _send(self, store: Store, rows: Sequence[Row]) -> None:
        pairs, refused = decoded(rows)
        sifted = sift(store, pairs, self._acknowledged, most_requests=_REQUESTS_A_BATCH)
        self._limit = min(self._limit, sifted.fitting or self._limit)
        if sifted.refused and self._monotonic_s() > self._accepted_s + _TRUST_S:
            raise StoreRefused(f"the store takes no point at all, such as: {sifted.refused[0][1]}")
        if refused := refused + sifted.refused:
            self._spool.quarantine(refused)
            _log.warning("%d points quarantined: %s", len(refused), refused[0][1])

    def _acknowledged(self, rows: Sequence[Row]) -> None:
        self._spool.sent(rows)
        self.sent += len(rows)
        self._accepted_s = self._monotonic_s()

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _wait_s(self, error: StoreError) -> float:
        if not isinstance(error, StoreUnavailable):
            self._close()  # the token or the file may be another next time
            return _REFUSED_WAIT_S
        asked_s = min(error.retry_after_s or 0.0, _LONGEST_RETRY_AFTER_S)
        return max(asked_s, self._backoff.delay_s(self._failures))

    def _report(self, error: StoreError | None) -> None:
        """Log, note for `status` and, where a person is needed, leave an event: once for each kind of trouble."""
        kind = None if error is None else type(error).__name__
        if kind == self._trouble:
            return
        self._trouble = kind
        with suppress(StoreError):  # the spool's own trouble is already the one to tell
            self._spool.trouble(str(error or ""))
        if error is None:
            _log.warning("the store takes points again")
            return
        _log.warning("points wait in the spool: %s", error)
        if not isinstance(error, StoreUnavailable):
            self._events.tell("store_refused", str(error), self._wall_ns())
