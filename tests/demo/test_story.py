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
        "The first disturbance (memory, then CPU) lasted from 08:35:23 to 08:35:45; it was labelled, and a model was"
        " trained at 08:36:05.\n"
        "The second disturbance (CPU, then disk, network, memory) began at 08:36:20; the interval went to 25 ms 26 s"
        " later (load on CPU, disk, network by then), 14 s before its peak.\n"
        "It had been at 25 ms already from 08:36:30 to 08:36:44, and was let go in between.\n"
        "It ended at 08:37:10; the interval was back at 500 ms 20 s later.\n"
        "In calm there was no false alarm.\n"
        "No Xen was involved: the interval is what a pacer would have read from the agent's order file."
    )
    assert story.headline(record, verdict_of(record)) == (
        "Foreseen: 25 ms from 14 s before the peak, 500 ms again 20 s after the end"
    )


def test_false_alarms_are_told(record: Record) -> None:
    start_ns = next(span.start_ns for span in record.spans if span.kind is Kind.AFTER)
    last_ns = record.samples[-1].time_ns
    runs = (Run(start_ns, start_ns + 3 * S), Run(last_ns - 4 * S, None))
    told = story.sentences(record, replace(verdict_of(record), false_alarms=runs))
    assert any(line.startswith("In calm there were false alarms (08:37:1") for line in told)
    assert any(line.endswith(": 2, 7 s at the protective interval.") for line in told)


def test_what_went_wrong_is_told(record: Record) -> None:
    always_short = replace(record, samples=tuple(Sample(s.time_ns, 25) for s in record.samples))
    verdict = verdict_of(always_short)
    told = story.sentences(always_short, verdict)
    assert [line for line in told if line.startswith("Not as it should be")] == [
        f"Not as it should be: {fault}." for fault in verdict.faults
    ]
    assert any(line.endswith("began at 08:36:20; its peak was at 08:37:00.") for line in told)
    assert not any("was back at" in line for line in told)
    assert story.headline(always_short, verdict).startswith("Not shown: the interval was short already")


def test_a_demo_that_ended_without_a_second_disturbance(record: Record) -> None:
    after = {Kind.RAMP, Kind.PEAK, Kind.AFTER}
    ended = replace(record, spans=tuple(span for span in record.spans if span.kind not in after))
    told = story.sentences(ended, verdict_of(ended))
    assert not any("second disturbance" in line for line in told)
    assert "calm could not be learned" in told[-1]
    assert "calm could not be learned" in story.headline(ended, verdict_of(ended))
