import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from demo import story
from demo.record import Record, Sample, load
from demo.timeline import Kind
from demo.verdict import Run, Verdict, judge
from tests.demo.capture import CAPTURE

S = 10**9


@pytest.fixture
def record() -> Record:
    return load(CAPTURE)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def verdict_of(record: Record) -> Verdict:
    return judge(record.samples, record.spans, record.protective_ms)


def test_a_demo_that_went_well(record: Record) -> None:
    told = story.sentences(record, verdict_of(record))
    assert "\n".join(told) == (
        "The first disturbance (memory, then CPU) lasted from 09:07:41 to 09:08:03; it was labelled, and a model was"
        " trained at 09:08:22.\n"
        "The second disturbance (CPU, then disk, network, memory) began at 09:08:38; the interval went to 25 ms 8 s"
        " later (load on CPU by then), 32 s before its peak.\n"
        "It ended at 09:09:28; the interval was back at 500 ms 13 s later.\n"
        "In calm there was no false alarm.\n"
        "No Xen was involved: the interval is what a pacer would have read from the agent's order file."
    )
    assert story.headline(record, verdict_of(record)) == (
        "Foreseen: 25 ms from 32 s before the peak, 500 ms again 13 s after the end"
    )


def test_an_interval_that_was_let_go_in_between_is_told(record: Record) -> None:
    start_ns = next(span.start_ns for span in record.spans if span.kind is Kind.RAMP)
    told = story.sentences(record, replace(verdict_of(record), let_go=(Run(start_ns + S, start_ns + 4 * S),)))
    assert "It had been at 25 ms already from 09:08:39 to 09:08:42, and was let go in between." in told


def test_false_alarms_are_told(record: Record) -> None:
    start_ns = next(span.start_ns for span in record.spans if span.kind is Kind.AFTER)
    last_ns = record.samples[-1].time_ns
    runs = (Run(start_ns, start_ns + 3 * S), Run(last_ns - 4 * S, None))
    told = story.sentences(record, replace(verdict_of(record), false_alarms=runs))
    assert any(line.startswith("In calm there were false alarms (09:09:29, 09:09:47):") for line in told)
    assert any(line.endswith(": 2, 7 s at the protective interval.") for line in told)


def test_the_timetable_has_phases_and_events_in_their_order(record: Record) -> None:
    told = story.timetable(record)
    assert [event.text for event in told if event.kind == "phase"] == [span.kind for span in record.spans]
    assert {event for event in told if event.kind != "phase"} == set(record.events)
    assert told == sorted(told, key=lambda event: event.time_ns)


def test_what_went_wrong_is_told(record: Record) -> None:
    always_short = replace(record, samples=tuple(Sample(s.time_ns, 25) for s in record.samples))
    verdict = verdict_of(always_short)
    told = story.sentences(always_short, verdict)
    assert [line for line in told if line.startswith("Not as it should be")] == [
        f"Not as it should be: {fault}." for fault in verdict.faults
    ]
    assert any(line.endswith("began at 09:08:38; its peak was at 09:09:18.") for line in told)
    assert not any("was back at" in line for line in told)
    assert story.headline(always_short, verdict).startswith("Not shown: the interval was short already")


def test_a_demo_that_ended_without_a_second_disturbance(record: Record) -> None:
    after = {Kind.RAMP, Kind.PEAK, Kind.AFTER}
    ended = replace(record, spans=tuple(span for span in record.spans if span.kind not in after))
    told = story.sentences(ended, verdict_of(ended))
    assert not any("second disturbance" in line for line in told)
    assert "too busy to learn what calm is" in told[-1]
    assert "too busy to learn what calm is" in story.headline(ended, verdict_of(ended))
