"""Events on their way to the spool: in, what happened; out, points, from a thread that nobody waits for."""

import logging
import queue
import threading

from agent.collector import Emit
from telemetry.point import Point
from telemetry.schema import NOBODY

_log = logging.getLogger(__name__)

_MOST = 1_000
_WAIT_S = 0.5


class Events:
    """A collector of what other parts tell; telling never waits and never raises, so that it cannot hold up control."""

    name = "events"

    def __init__(self, host: str) -> None:
        self._host = host
        self._queue: queue.Queue[Point] = queue.Queue(_MOST)

    def tell(self, kind: str, text: str, time_ns: int, domain: str = NOBODY) -> None:
        """Have an `event` recorded; more than can be taken at the moment are left to the log."""
        try:
            self._queue.put_nowait(
                Point("event", {"kind": kind, "domain": domain, "host": self._host}, {"text": text}, time_ns)
            )
        except (queue.Full, ValueError) as error:
            _log.warning("event not recorded (%r): %s: %s", error, kind, text)

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit what was told, until `stop` is set and nothing is left."""
        while not (stop.is_set() and self._queue.empty()):
            try:
                point = self._queue.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            emit([point])
