"""What a collector is: in, an `emit` to call and a `stop` to obey; out, points until it is stopped."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from telemetry.point import Point

Emit = Callable[[Sequence[Point]], None]
"""Takes points over; returns when they are safe."""


class Collector(Protocol):
    """Something that watches one thing and tells of it in points."""

    name: str

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit points until `stop` is set; raises when it cannot go on (the supervisor retries it with backoff)."""
        ...


class Periodic:
    """A collector that calls `sample` at once and then every `period_s`.

    Ticks lie on a grid of the monotonic clock that starts with `run`, so they do not drift; those that a slow sample
    missed are left out, never made up for.
    """

    def __init__(
        self,
        name: str,
        sample: Callable[[], Sequence[Point]],
        period_s: float,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        if not period_s > 0:
            raise ValueError(f"{name}: the period must be more than 0 s, not {period_s}")
        self.name = name
        self._sample = sample
        self._period_s = period_s
        self._monotonic_s = monotonic_s

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Sample and emit until `stop` is set, which ends a wait at once; what `sample` raises goes through."""
        start_s = self._monotonic_s()
        due_s = start_s
        while not stop.wait(max(0.0, due_s - self._monotonic_s())):
            if points := self._sample():
                emit(points)
            ticks_gone = math.floor((self._monotonic_s() - start_s) / self._period_s)
            due_s = start_s + (ticks_gone + 1) * self._period_s
