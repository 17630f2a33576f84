"""What a load client felt: in, the .jtl that JMeter writes; out, `response` points, live or of a finished file."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from agent.collector import Emit, Periodic
from agent.jtl import Answer, Jtl, JtlError
from agent.tail import Tail
from agent.windows import Windows
from telemetry.point import Point
from telemetry.units import NS_PER_MS, NS_PER_S

_log = logging.getLogger(__name__)

_SETTLE_MS: Final = 2_000
"""Threads of JMeter write their answers one after the other: so much later none is to come."""
_QUIET_S: Final = 10.0
"""Where nothing is written for so long the load has ended, or its target does not answer."""
_READ_BYTES: Final = 2**20


class ResponseCollector:
    """Follows the file at `path`, from its beginning at each start, as the points of a window replace themselves.

    Windows that ended more than `history_s` ago are left out: the store may keep no points of that age.
    """

    name = "responses"

    def __init__(
        self,
        path: Path,
        domain: str,
        *,
        window_s: float,
        period_s: float,
        history_s: float,
        quiet_s: float = _QUIET_S,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        new_windows = partial(Windows, domain, round(1000 * window_s))
        self._follow = partial(Following, path, new_windows, quiet_s, wall_ns)
        self._period_s = period_s
        self._history_ns = int(history_s * NS_PER_S)
        self._wall_ns = wall_ns

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit until `stop` is set; raises OSError, or JtlError where the file is none of JMeter's."""
        following = self._follow()
        try:
            Periodic(self.name, lambda: self._recent(following.sample()), self._period_s).run(emit, stop)
        finally:
            following.close()

    def _recent(self, points: list[Point]) -> list[Point]:
        since_ns = self._wall_ns() - self._history_ns
        return [point for point in points if point.time_ns > since_ns]


class Following:
    """The file that is there now, and what has come of it."""

    def __init__(
        self,
        path: Path,
        new_windows: Callable[[], Windows],
        quiet_s: float,
        wall_ns: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._new_windows = new_windows
        self._quiet_s = quiet_s
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s
        self._read_s = monotonic_s()
        self._tail = Tail(path)
        self._jtl, self._windows = Jtl(path), new_windows()
        self._broken = 0

    def sample(self) -> list[Point]:
        """The points of the windows that are over."""
        points: list[Point] = []
        for chunk in self._tail.chunks():
            if chunk.first:
                points += self._end()
            self._windows.add(self._sound(self._jtl.read(chunk.data)))
            points += self._windows.close(self._windows.newest_ms - _SETTLE_MS)
            self._read_s = self._monotonic_s()
        if self._monotonic_s() - self._read_s >= self._quiet_s:
            points += self._windows.close(self._wall_ns() // NS_PER_MS - _SETTLE_MS)
        return points

    def close(self) -> None:
        """Let the file go; what is not over is told after the next start."""
        self._tail.close()

    def _end(self) -> list[Point]:
        """What the file before this one still held."""
        points = self._windows.close()
        if self._windows.late or self._broken or self._jtl.rest:
            _log.warning(
                "%s: %d answers came too late for their window, %d records were broken, %d bytes were no whole record; "
                "hefery-agent import-jtl reads a finished file",
                self._path,
                self._windows.late,
                self._broken,
                len(self._jtl.rest),
            )
        self._jtl, self._windows, self._broken = Jtl(self._path), self._new_windows(), 0
        return points

    def _sound(self, answers: Iterator[Answer | JtlError]) -> Iterator[Answer]:
        """The answers; of what is broken the first is told, all are counted."""
        for answer in answers:
            if isinstance(answer, Answer):
                yield answer
            else:
                self._broken += 1
                if self._broken == 1:
                    _log.warning("%s; it is left out", answer)


def points_of(path: Path, domain: str, window_s: float) -> Iterator[Point]:
    """The points of a finished file, the same however often it is read.

    Raises OSError, or JtlError naming the first line that is broken; what a killed JMeter left at the end is no line.
    """
    windows = Windows(domain, round(1000 * window_s))
    for answers in _pieces(path):
        windows.add(answers)
        yield from windows.close(windows.newest_ms - _SETTLE_MS)
    yield from windows.close()


def answers_of(path: Path) -> Iterator[Answer]:
    """All answers in a finished file; raises as `points_of`."""
    for answers in _pieces(path):
        yield from answers


def _pieces(path: Path) -> Iterator[Iterator[Answer]]:
    jtl = Jtl(path)
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            yield _all_sound(jtl.read(data))


def _all_sound(answers: Iterator[Answer | JtlError]) -> Iterator[Answer]:
    for answer in answers:
        if isinstance(answer, JtlError):
            raise answer
        yield answer
