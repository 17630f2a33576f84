"""What happened when: in, a record and its verdict; out, sentences."""

from collections.abc import Iterator
from datetime import UTC, datetime

from demo.record import Event, Record, Span
from demo.timeline import Kind
from demo.verdict import Run, Verdict
from telemetry.units import NS_PER_S


def sentences(record: Record, verdict: Verdict) -> list[str]:
    """The demo in a few sentences, the faults last."""
    span_of = {span.kind: span for span in record.spans}
    told = [_first(record, span_of)]
    if Kind.AFTER in span_of:
        told += [*_second(record, verdict, span_of), _false_alarms(verdict.false_alarms, record)]
    told.append("No Xen was involved: the interval is what a pacer would have read from the agent's order file.")
    told += [f"Not as it should be: {fault}." for fault in verdict.faults]
    return told


def timetable(record: Record) -> list[Event]:
    """Phases and events, oldest first."""
    phases = [Event(span.start_ns, "phase", span.kind) for span in record.spans]
    return sorted([*phases, *record.events], key=lambda event: event.time_ns)


def headline(record: Record, verdict: Verdict) -> str:
    """The outcome in one line."""
    if verdict.faults:
        return f"Not shown: {verdict.faults[0]}"
    span_of = {span.kind: span for span in record.spans}
    assert verdict.shortened_ns is not None
    assert verdict.lengthened_ns is not None
    before_s = _seconds(span_of[Kind.PEAK].start_ns - verdict.shortened_ns)
    after_s = _seconds(verdict.lengthened_ns - span_of[Kind.PEAK].end_ns)
    return (
        f"Foreseen: {record.protective_ms} ms from {before_s} before the peak, {record.calm_ms} ms again"
        f" {after_s} after the end"
    )


def local_time(time_ns: int) -> str:
    """The time of day in this machine's zone."""
    return datetime.fromtimestamp(time_ns / NS_PER_S, UTC).astimezone().strftime("%H:%M:%S")


def _first(record: Record, span_of: dict[Kind, Span]) -> str:
    ramp, peak, training = span_of[Kind.FIRST_RAMP], span_of[Kind.FIRST_PEAK], span_of[Kind.TRAINING]
    return (
        f"The first disturbance ({record.plan.first}) lasted from {local_time(ramp.start_ns)} to"
        f" {local_time(peak.end_ns)}; it was labelled, and a model was trained at {local_time(training.end_ns)}."
    )


def _second(record: Record, verdict: Verdict, span_of: dict[Kind, Span]) -> Iterator[str]:
    ramp, peak = span_of[Kind.RAMP], span_of[Kind.PEAK]
    began = f"The second disturbance ({record.plan.second}) began at {local_time(ramp.start_ns)}"
    if verdict.shortened_ns is None:
        yield f"{began}; its peak was at {local_time(peak.start_ns)}."
    else:
        elapsed_ns = verdict.shortened_ns - ramp.start_ns
        load = ", ".join(record.plan.second.under_way(elapsed_ns / NS_PER_S))
        yield (
            f"{began}; the interval went to {record.protective_ms} ms {_seconds(elapsed_ns)} later (load on {load} by"
            f" then), {_seconds(peak.start_ns - verdict.shortened_ns)} before its peak."
        )
    for run in verdict.let_go:
        assert run.end_ns is not None
        yield (
            f"It had been at {record.protective_ms} ms already from {local_time(run.start_ns)} to"
            f" {local_time(run.end_ns)}, and was let go in between."
        )
    if verdict.lengthened_ns is not None:
        yield (
            f"It ended at {local_time(peak.end_ns)}; the interval was back at {record.calm_ms} ms"
            f" {_seconds(verdict.lengthened_ns - peak.end_ns)} later."
        )


def _false_alarms(runs: tuple[Run, ...], record: Record) -> str:
    if not runs:
        return "In calm there was no false alarm."
    last_ns = record.samples[-1].time_ns
    total_ns = sum((last_ns if run.end_ns is None else run.end_ns) - run.start_ns for run in runs)
    at = ", ".join(local_time(run.start_ns) for run in runs)
    return f"In calm there were false alarms ({at}): {len(runs)}, {_seconds(total_ns)} at the protective interval."


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_S:.0f} s"
