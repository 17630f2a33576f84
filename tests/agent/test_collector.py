import threading
import time

import pytest

from agent.collector import Periodic
from telemetry.point import Point
from tests.agent.running import running

POINT = Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, 1)


class FakeTime(threading.Event):
    """A clock that only waiting moves; it stops the collector at `end_s`."""

    def __init__(self, end_s: float) -> None:
        super().__init__()
        self.now_s = 100.0
        self.end_s = self.now_s + end_s

    def wait(self, timeout: float | None = None) -> bool:
        self.now_s += timeout or 0.0
        return self.now_s >= self.end_s


def ticks(period_s: float, end_s: float, sample_takes_s: list[float]) -> list[float]:
    clock = FakeTime(end_s)
    seen: list[float] = []
    takes_s = iter(sample_takes_s)

    def sample() -> list[Point]:
        seen.append(clock.now_s - 100.0)
        clock.now_s += next(takes_s, 0.0)
        return [POINT]

    Periodic("x", sample, period_s, monotonic_s=lambda: clock.now_s).run(lambda points: None, clock)
    return seen


def test_samples_at_once_and_then_on_a_grid_whatever_sampling_takes() -> None:
    assert ticks(1.0, 5.0, [0.3, 0.9, 0.1, 0.6]) == pytest.approx([0, 1, 2, 3, 4], abs=1e-9)


def test_leaves_missed_ticks_out() -> None:
    assert ticks(1.0, 6.0, [0.0, 2.5]) == pytest.approx([0, 1, 4, 5], abs=1e-9)


def test_does_not_drift_over_a_day() -> None:
    seen = ticks(0.1, 86_400.0, [0.01] * 1_000_000)
    assert seen[-1] == pytest.approx(86_399.9, abs=1e-6)
    assert len(seen) == 864_000


def test_stop_ends_a_long_wait_at_once() -> None:
    first = threading.Event()
    with running(Periodic("x", lambda: [POINT], period_s=3600.0), lambda points: first.set()):
        assert first.wait(5.0)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 30


def test_does_not_bother_emit_without_points() -> None:
    clock = FakeTime(3.0)
    emitted: list[object] = []
    Periodic("x", list, 1.0, monotonic_s=lambda: clock.now_s).run(emitted.append, clock)
    assert emitted == []


def test_what_the_sample_raises_reaches_the_supervisor() -> None:
    def broken() -> list[Point]:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        Periodic("x", broken, 1.0).run(lambda points: None, threading.Event())


def test_refuses_a_period_that_is_no_period() -> None:
    with pytest.raises(ValueError, match="more than 0 s"):
        Periodic("x", list, float("nan"))
