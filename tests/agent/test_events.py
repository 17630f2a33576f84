import logging
import threading

import pytest

from agent.events import Events
from telemetry.point import Point
from tests.agent.running import running


def drained(events: Events) -> list[Point]:
    points: list[Point] = []
    stop = threading.Event()
    stop.set()
    events.run(points.extend, stop)
    return points


def test_what_was_told_is_emitted_even_after_the_stop() -> None:
    events = Events("a")
    events.tell("interval", "25 -> 2000 ms", 5, "web")
    events.tell("store", "refused", 6)
    assert drained(events) == [
        Point("event", {"kind": "interval", "domain": "web", "host": "a"}, {"text": "25 -> 2000 ms"}, 5),
        Point("event", {"kind": "store", "domain": "-", "host": "a"}, {"text": "refused"}, 6),
    ]


def test_emits_while_it_runs() -> None:
    events, emitted = Events("a"), threading.Event()
    with running(events, lambda points: emitted.set()):
        events.tell("store", "refused", 6)
        assert emitted.wait(5.0)


def test_telling_too_much_or_nonsense_goes_to_the_log_and_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    events = Events("a")
    with caplog.at_level(logging.WARNING):
        events.tell("interval", "x", 5, "not\nprintable")
        for time_ns in range(1, 1_002):
            events.tell("interval", "x", time_ns, "web")
    assert len(drained(events)) == 1_000
    assert len(caplog.records) == 2
