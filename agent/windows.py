"""Answers in windows of time: in, answers in about the order of their ends; out, `response` points, by label."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.jtl import Answer
from telemetry.point import Point, Value
from telemetry.schema import NOBODY
from telemetry.units import NS_PER_MS

_SHARES: Final = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass
class _Window:
    """What ended in it: good answers as (end, how long it took), and errors."""

    good: list[tuple[int, int]] = field(default_factory=list)
    errors: int = 0


class Windows:
    """Sums up answers by label, in windows of `window_ms` on the grid of the wall clock; points bear a window's end."""

    def __init__(self, domain: str, window_ms: int) -> None:
        self._domain = domain
        self._window_ms = window_ms
        self._open: dict[tuple[int, str], _Window] = defaultdict(_Window)
        self._last_good_ms: dict[str, int] = {}
        self._closed_ms = 0
        self.newest_ms = 0
        """When the last answer ended."""
        self.late = 0
        """How many answers came after their window was closed, and are in none."""

    def add(self, answers: Iterable[Answer]) -> None:
        """Take answers over."""
        for answer in answers:
            end_ms = (answer.end_ms // self._window_ms + 1) * self._window_ms
            if end_ms <= self._closed_ms:
                self.late += 1
                continue
            window = self._open[end_ms, answer.label]
            if answer.good:
                window.good.append((answer.end_ms, answer.elapsed_ms))
            else:
                window.errors += 1
            self.newest_ms = max(self.newest_ms, answer.end_ms)

    def close(self, until_ms: float = math.inf) -> list[Point]:
        """The points of all windows that end by then; more answers are not expected for them."""
        done = sorted(key for key in self._open if key[0] <= until_ms)
        if done:
            self._closed_ms = done[-1][0]
        return [self._point(end_ms, label, self._open.pop((end_ms, label))) for end_ms, label in done]

    def _point(self, end_ms: int, label: str, window: _Window) -> Point:
        window.good.sort()
        fields: dict[str, Value] = {"count": len(window.good) + window.errors, "errors": window.errors}
        if window.good:
            fields |= spread([elapsed_ms for _, elapsed_ms in window.good])
        if gaps := list(self._gaps(end_ms, label, window)):
            fields["gap_ms"] = float(max(gaps))
        return Point("response", {"domain": self._domain, "label": _tag(label)}, fields, end_ms * NS_PER_MS)

    def _gaps(self, end_ms: int, label: str, window: _Window) -> Iterator[int]:
        """Times between two good answers; up to the window's end where it has none."""
        for good_ms in [when for when, _ in window.good] or [end_ms]:
            if label in self._last_good_ms:
                yield good_ms - self._last_good_ms[label]
            if window.good:
                self._last_good_ms[label] = good_ms


def spread(times_ms: Sequence[float]) -> dict[str, float]:
    """Mean, percentiles and longest of some times, which are not none, under the schema's names."""
    ordered = sorted(times_ms)
    shares = {name: quantile(ordered, share) for name, share in _SHARES.items()}
    return {"mean_ms": math.fsum(ordered) / len(ordered), **shares, "max_ms": float(ordered[-1])}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of values in order, linear between two of them (type 7 of Hyndman and Fan, 1996)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _tag(label: str) -> str:
    """A label as the store can keep it."""
    return "".join(c if c.isprintable() and c != "\\" else "?" for c in label) or NOBODY
