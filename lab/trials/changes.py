"""How quickly a change of the interval took effect, and what each interval gives: in, a probe's lines; out, figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from agent.reports import Applied, Checkpoint
from lab.trials.reports import Told
from telemetry.units import NS_PER_MS


@dataclass(frozen=True)
class Rates:
    """What an interval gave: medians of period and pause, and commits a second."""

    period_ms: float
    pause_ms: float
    rate_per_s: float


def shorten_ms(told: Sequence[Told], sequence: int) -> float | None:
    """From the rename of an order to the start of the next checkpoint: to its commit, its own time subtracted.

    All by the clock of the host. A checkpoint that was under way already is not the next one. None where the order, or
    a checkpoint after it, is missing.
    """
    ordered_ns = _ordered_ns(told, sequence)
    if ordered_ns is None:
        return None
    starts_ns = [
        line.sent_ns - ((line.what.pause_ms or 0.0) + (line.what.send_ms or 0.0)) * NS_PER_MS
        for line in told
        if isinstance(line.what, Checkpoint)
    ]
    return min(((start_ns - ordered_ns) / NS_PER_MS for start_ns in starts_ns if start_ns >= ordered_ns), default=None)


def applied_ms(told: Sequence[Told], sequence: int) -> float | None:
    """From the rename of an order to the pacer's report that it is in force; None where one of them is missing."""
    ordered_ns = _ordered_ns(told, sequence)
    if ordered_ns is None:
        return None
    for line in told:
        if isinstance(line.what, Applied) and line.what.sequence == sequence:
            return (line.sent_ns - ordered_ns) / NS_PER_MS
    return None


def rates(told: Sequence[Told], interval_ms: int) -> Rates | None:
    """What the commits at this interval show, the first of them left out; None for less than two more."""
    at = [line for line in told if isinstance(line.what, Checkpoint) and line.what.interval_ms == interval_ms][1:]
    checkpoints = [line.what for line in at if isinstance(line.what, Checkpoint)]
    periods_ms = [c.period_ms for c in checkpoints if c.period_ms is not None]
    pauses_ms = [c.pause_ms for c in checkpoints if c.pause_ms is not None]
    if len(periods_ms) < 2 or not pauses_ms:
        return None
    return Rates(median(periods_ms), median(pauses_ms), 1000 / fmean(periods_ms))


def _ordered_ns(told: Sequence[Told], sequence: int) -> int | None:
    return next((line.sent_ns for line in told if line.what == sequence), None)
