import itertools
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.child import ChildFailed
from agent.xen import XentopCollector
from agent.xentop import XentopFormatError
from telemetry.point import Point
from tests.agent.running import running

HERE = Path(__file__).parent
CAPTURE = HERE.parent / "data" / "xentop-4.17-replicating-200ms.txt"


def replay(capture: Path = CAPTURE, gate: Path | None = None, last_words: str = "end of capture") -> list[str]:
    return [sys.executable, str(HERE / "replay_xentop.py"), str(capture), str(gate or "-"), last_words]


@contextmanager
def emitting(collector: XentopCollector) -> Iterator["queue.Queue[Sequence[Point]]"]:
    emitted: queue.Queue[Sequence[Point]] = queue.Queue()
    with running(collector, emitted.put):
        yield emitted


def emitted_until_it_fails(collector: XentopCollector, error: type[Exception], match: str) -> list[Point]:
    points: list[Point] = []
    with pytest.raises(error, match=match):
        collector.run(points.extend, threading.Event())
    return points


def test_a_sample_does_not_wait_for_the_next_iteration(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with emitting(XentopCollector("a", command=replay(gate=gate))) as emitted:
        assert not emitted.get(timeout=5.0)[0].fields.keys() - {"state"}
        gate.write_text("next")  # only now may the replayer print its second iteration
        (point,) = emitted.get(timeout=5.0)
        assert (point.measurement, point.tags["domain"]) == ("domain", "h1")


def test_keeps_the_pace_of_xentop() -> None:
    began_ns = time.time_ns()
    with emitting(XentopCollector("a", command=replay())) as emitted:
        points = [emitted.get(timeout=5.0)[0] for _ in range(4)]
    seconds = [(point.time_ns - began_ns) / 1e9 for point in points]
    assert [later - sooner for sooner, later in itertools.pairwise(seconds)] == pytest.approx([1.0] * 3, abs=0.5)
    assert points[1].fields["cpu_ratio"] == pytest.approx(0.534)
    assert points[1].fields["network_bytes_per_s"] == pytest.approx(2048.0, rel=0.5)


def test_iterations_that_come_in_a_rush_have_no_rates(tmp_path: Path) -> None:
    collector = XentopCollector("a", command=replay(gate=Path(os.devnull)))
    points = emitted_until_it_fails(collector, ChildFailed, "ended with status 1: end of capture")
    assert len(points) == 6
    assert not any("network_bytes_per_s" in point.fields for point in points)


def test_a_new_run_starts_from_nothing() -> None:
    first_iteration = CAPTURE.with_name("xentop-4.17-first-iteration.txt")
    clock = {"now_s": 60.0}
    command = replay(first_iteration, gate=Path(os.devnull))
    collector = XentopCollector("a", command=command, monotonic_s=lambda: clock["now_s"])
    for _ in range(2):
        clock["now_s"] += 60.0
        (point,) = emitted_until_it_fails(collector, ChildFailed, "end of capture")
        assert set(point.fields) == {"state"}


def test_says_which_domains_run_here(tmp_path: Path) -> None:
    collector = XentopCollector("a", command=replay())
    assert not collector.runs_here("h1")
    with emitting(collector) as emitted:
        emitted.get(timeout=5.0)
        assert collector.runs_here("h1")
        assert not collector.runs_here("h2")


def test_a_line_that_does_not_parse_reaches_the_supervisor_and_ends_xentop(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_text(CAPTURE.read_text() + "Segmentation fault\n")
    collector = XentopCollector("a", command=replay(odd, gate=Path(os.devnull)))
    emitted_until_it_fails(collector, XentopFormatError, "'Segmentation fault'")


@pytest.mark.parametrize(("period_s", "limit_s"), [(4, 20), (1, 15)])
def test_a_hung_xentop_is_ended_after_five_periods(tmp_path: Path, period_s: int, limit_s: int) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)  # never opened for writing
    collector = XentopCollector("a", command=replay(gate=gate), period_s=period_s, monotonic_s=clock_at_pace(20.0))
    said = f"printed nothing for {limit_s} s and was ended"
    assert len(emitted_until_it_fails(collector, ChildFailed, said)) == 1


def clock_at_pace(factor: float) -> Callable[[], float]:
    return lambda: time.monotonic() * factor


def test_xentop_gets_its_delay_in_whole_seconds() -> None:
    with pytest.raises(ValueError, match="whole seconds from 1 on, not 0"):
        XentopCollector("a", period_s=0)
