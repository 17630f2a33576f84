"""Whether a demo showed what it should: in, the intervals in force and the phases; out, a verdict and its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.record import Sample, Span
from demo.timeline import Kind


@dataclass(frozen=True)
class Run:
    """A time at the protective interval without a break; `end_ns` is None where nothing longer was seen after it."""

    start_ns: int
    end_ns: int | None


@dataclass(frozen=True)
class Verdict:
    """What the interval did; `faults` is empty where it did all that it should.

    `shortened_ns` is when the interval became short that still was at the second disturbance's peak, `lengthened_ns`
    when it was long for the first time after its end. Times at the protective interval that ended before are
    `let_go` where they began in the ramp, and `false_alarms` where they began in calm.
    """

    faults: tuple[str, ...]
    shortened_ns: int | None
    lengthened_ns: int | None
    let_go: tuple[Run, ...]
    false_alarms: tuple[Run, ...]


def judge(samples: Sequence[Sample], spans: Sequence[Span], protective_ms: int) -> Verdict:
    """Judge `samples`, oldest first, by the phases that came to pass.

    A false alarm is told, but is a fault only while it lasts into the second disturbance: an interval that was short
    already does not show that this disturbance was foreseen.
    """
    span_of = {span.kind: span for span in spans}
    if Kind.AFTER not in span_of:
        fault = "the machine was too busy to learn what calm is here; run the demo again when it is quieter"
        return Verdict((fault,), None, None, (), ())
    ramp, peak, after = span_of[Kind.RAMP], span_of[Kind.PEAK], span_of[Kind.AFTER]
    runs = short_runs(samples, protective_ms)
    in_ramp = [run for run in runs if ramp.start_ns <= run.start_ns < ramp.end_ns]
    shortened_ns = next((run.start_ns for run in in_ramp if _end(run) > peak.start_ns), None)
    lengthened_ns = next((s.time_ns for s in _within(samples, after) if s.interval_ms > protective_ms), None)
    findings = {
        "the interval was not sampled in every phase": not all(_within(samples, span) for span in spans),
        "the interval was short already when the second disturbance began": any(
            run.start_ns < ramp.start_ns <= _end(run) for run in runs
        ),
        "the interval was not shortened before the peak of the second disturbance": shortened_ns is None,
        "the interval was long during the peak": any(s.interval_ms > protective_ms for s in _within(samples, peak)),
        "the interval was not lengthened after the second disturbance": lengthened_ns is None,
    }
    return Verdict(
        tuple(text for text, found in findings.items() if found),
        shortened_ns,
        lengthened_ns,
        tuple(run for run in in_ramp if _end(run) <= peak.start_ns),
        tuple(run for run in runs if _in_calm(run, spans) and run.start_ns > samples[0].time_ns),
    )


def short_runs(samples: Sequence[Sample], protective_ms: int) -> list[Run]:
    """The times at the protective interval, oldest first."""
    runs: list[Run] = []
    for sample in samples:
        is_open = bool(runs) and runs[-1].end_ns is None
        if sample.interval_ms <= protective_ms and not is_open:
            runs.append(Run(sample.time_ns, None))
        elif sample.interval_ms > protective_ms and is_open:
            runs[-1] = Run(runs[-1].start_ns, sample.time_ns)
    return runs


def _end(run: Run) -> float:
    return float("inf") if run.end_ns is None else run.end_ns


def _within(samples: Sequence[Sample], span: Span) -> list[Sample]:
    return [sample for sample in samples if span.start_ns <= sample.time_ns < span.end_ns]


def _in_calm(run: Run, spans: Sequence[Span]) -> bool:
    return any(span.kind in {Kind.QUIET, Kind.AFTER} and span.start_ns <= run.start_ns < span.end_ns for span in spans)
