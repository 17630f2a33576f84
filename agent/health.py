"""The agent's own health: in, its process and its spool; out, `agent` points."""

import time
from collections.abc import Callable, Sequence

import psutil

from agent.collector import Periodic
from agent.spool import Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S


class Health:
    """Measures the agent; CPU is its own since the sample before, without that of xentop."""

    def __init__(
        self,
        host: str,
        spool: Spool,
        sent: Callable[[], int],
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._spool = spool
        self._sent = sent
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._process = psutil.Process()
        self._before: tuple[float, float] | None = None

    def sample(self) -> Sequence[Point]:
        """How the agent does now."""
        state, now_ns = self._spool.state(), self._wall_ns()
        fields = {
            "cpu_ratio": self._cpu_ratio(),
            "rss_bytes": self._process.memory_info().rss,
            "spool_points": state.points,
            "spool_oldest_s": 0.0 if state.oldest_ns is None else max(0, now_ns - state.oldest_ns) / NS_PER_S,
            "sent": self._sent(),
            "dropped": sum(state.dropped.values()),
            "quarantined": state.quarantined,
        }
        point = Point.of("agent", {"host": self._host}, fields, now_ns)
        return [] if point is None else [point]

    def _cpu_ratio(self) -> float | None:
        times, now_s = self._process.cpu_times(), self._monotonic_s()
        before, self._before = self._before, (now_s, times.user + times.system)
        if before is None or not now_s > before[0]:
            return None
        return max(0.0, (self._before[1] - before[1]) / (now_s - before[0]))


def health_collector(host: str, spool: Spool, sent: Callable[[], int], period_s: float) -> Periodic:
    """The collector of the agent's own health."""
    return Periodic("health", Health(host, spool, sent).sample, period_s)
