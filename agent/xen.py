"""Watches a Xen host's domains: in, one long-running `xentop -b -f -d N`; out, `domain` points as each row arrives."""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from agent.child import stream_lines
from agent.collector import Emit
from agent.domain import DomainPoints, Lookup, nothing_known
from agent.xentop import XentopParser
from telemetry.point import Point

_HUNG_PERIODS = 5
_LEAST_HUNG_S = 15.0
"""An emulated dom0 that replicates takes more than 5 s to start xentop, and to start it again makes that worse."""


class XentopCollector:
    """Emits one `domain` point a period for every protected domain of this host.

    A row is a point as soon as it can be read: nothing waits for the end of its iteration, which only the header of the
    next would tell. The time of a point is that of its arrival.
    """

    def __init__(
        self,
        host: str,
        *,
        period_s: int = 1,
        domains: Collection[str] | None = None,
        ran_share: Lookup = nothing_known,
        memory_ratio: Lookup = nothing_known,
        command: Sequence[str] = ("xentop", "-b", "-f"),
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch `domains`, or all (see `DomainPoints`); `command` gets xentop's `-d period_s` (whole seconds) added."""
        if period_s < 1:
            raise ValueError(f"xentop's delay is whole seconds from 1 on, not {period_s}")
        self.name = "xen"
        self._host = host
        self._period_s = period_s
        self._domains = domains
        self._ran_share = ran_share
        self._memory_ratio = memory_ratio
        self._command = (*command, "-d", str(period_s))
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._points = self._fresh_points()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit until `stop` is set; raises `ChildFailed` or `XentopFormatError` when xentop fails."""
        self._points, parser = self._fresh_points(), XentopParser()
        silence_s = max(_LEAST_HUNG_S, _HUNG_PERIODS * self._period_s)
        batches = stream_lines(self._command, stop, silence_s=silence_s, monotonic_s=self._monotonic_s)
        with contextlib.closing(batches):
            for lines in batches:
                if points := list(self._points_of(lines, parser)):
                    emit(points)

    def runs_here(self, domain: str) -> bool:
        """Whether the watched `domain` was in xentop's last iterations; False until the first."""
        return self._points.has(domain)

    def _points_of(self, lines: Sequence[str], parser: XentopParser) -> Iterator[Point]:
        now_s, time_ns = self._monotonic_s(), self._wall_ns()
        for line in lines:
            sample = parser.feed(line)
            if sample is None:
                self._points.begin(now_s, time_ns)
            elif point := self._points.point(sample):
                yield point

    def _fresh_points(self) -> DomainPoints:
        # Iterations that come in a rush were printed earlier: when is not known, so neither are their rates.
        return DomainPoints(self._host, self._domains, self._ran_share, self._memory_ratio, self._period_s / 2)
