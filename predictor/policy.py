"""The decision rule: in, what is known of a domain and of its past; out, its checkpoint interval and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from predictor.cost import Cost, Stakes, cheapest_interval_ms
from telemetry.units import NS_PER_S


class Urgency(IntEnum):
    """What the evidence asks for; more is more urgent."""

    CALM = 0
    HOLD = 1
    PROTECT = 2


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `low` on the signal (never negative) forbids to lengthen, from `high` on it protects at once."""

    signal: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high < math.inf:
            raise ValueError(f"{self.signal}: thresholds must be 0 <= low <= high, not {self.low} and {self.high}")


@dataclass(frozen=True, slots=True)
class Rule:
    """How to decide. One threshold with low = high, `dwell_s` 0 and one calm tick is the paper's rule.

    The interval grows from `protective_ms` to `calm_ms` (with `stakes`, to the cheapest up to it) only after
    `calm_ticks` calm ticks in a row, and not before `dwell_s` has passed since the evidence last asked to protect.
    """

    thresholds: tuple[Threshold, ...]
    protective_ms: float
    calm_ms: float
    max_age_s: float
    min_coverage: float
    dwell_s: float
    calm_ticks: int
    stakes: Stakes | None = None

    def __post_init__(self) -> None:
        if not self.thresholds:
            raise ValueError("a rule needs at least one threshold: nothing else could ever shorten the interval")
        if not 0 < self.protective_ms <= self.calm_ms < math.inf:
            raise ValueError(f"intervals must be 0 < protective <= calm, not {self.protective_ms}, {self.calm_ms} ms")
        if not (0 < self.max_age_s < math.inf and 0 <= self.dwell_s < math.inf and self.calm_ticks >= 1):
            raise ValueError(f"{self}: max_age_s must be above 0, dwell_s not below 0, calm_ticks at least 1")
        if not 0 < self.min_coverage <= 1:
            raise ValueError(f"min_coverage must be a ratio above 0, not {self.min_coverage}")


@dataclass(frozen=True, slots=True)
class View:
    """What a forecast says of a domain.

    `signals` by name; `age_s` of the newest observation; `coverage`, the share of the model's metrics really seen over
    the last steps; and the `cost` of protecting it, where it has been measured.
    """

    signals: Mapping[str, float]
    age_s: float
    coverage: float
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What the rule remembers of a domain between two ticks: as it stood at `tick_ns`."""

    interval_ms: float
    calm_ticks: int
    protected_ns: int
    tick_ns: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What the evidence asks for, and why in words."""

    urgency: Urgency
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The checkpoint interval for a domain, and the reason in words."""

    interval_ms: float
    reason: str


def decide(view: View | None, rule: Rule, memory: Memory | None, now_ns: int) -> tuple[Decision, Memory]:
    """The interval at `now_ns`, and the memory for the next tick.

    `view` is None where there is no forecast; `memory` is None at the start, and one too old to go on from counts as
    none: the interval starts protective and calm has to be shown again. Every step is monotone: with worse or missing
    evidence, now or at any tick before, the interval is never longer (the dwell therefore runs from the last call for
    protection, not from the last change). Every comparison is written so that NaN protects.
    """
    if memory is not None and now_ns < memory.tick_ns:
        return _protect(f"time ran back by {(memory.tick_ns - now_ns) / NS_PER_S:.3g} s", rule, now_ns)
    if memory is None or now_ns - memory.tick_ns > rule.max_age_s * NS_PER_S:
        memory = Memory(rule.protective_ms, 0, now_ns, now_ns)
    found = assess(view, rule)
    if view is None or found.urgency is Urgency.PROTECT:
        return _protect(found.reason, rule, now_ns)
    return _relax(view, found, rule, memory, now_ns)


def assess(view: View | None, rule: Rule) -> Finding:
    """How urgent the evidence is, whatever was before, and why."""
    if view is None:
        return Finding(Urgency.PROTECT, "no forecast")
    if not 0 <= view.age_s <= rule.max_age_s:
        return Finding(
            Urgency.PROTECT, f"newest observation is {view.age_s:.3g} s old, allowed are {rule.max_age_s:g} s"
        )
    if not rule.min_coverage <= view.coverage <= 1:
        return Finding(
            Urgency.PROTECT, f"{view.coverage:.0%} of the metrics were seen, needed are {rule.min_coverage:.0%}"
        )
    found = [_judge(threshold, view.signals.get(threshold.signal, math.nan)) for threshold in rule.thresholds]
    return max(found, key=lambda finding: finding.urgency)


def _judge(threshold: Threshold, value: float) -> Finding:
    name = threshold.signal
    if not 0 <= value < math.inf:
        return Finding(Urgency.PROTECT, f"{name} is not known ({value})")
    if value >= threshold.high:
        return Finding(Urgency.PROTECT, f"{name} {value:.3g} is not below {threshold.high:g}")
    if value >= threshold.low:
        return Finding(Urgency.HOLD, f"{name} {value:.3g} is not below {threshold.low:g}, so no lengthening")
    return Finding(Urgency.CALM, "calm")


def _protect(reason: str, rule: Rule, now_ns: int) -> tuple[Decision, Memory]:
    return Decision(rule.protective_ms, reason), Memory(rule.protective_ms, 0, now_ns, now_ns)


def _relax(view: View, found: Finding, rule: Rule, memory: Memory, now_ns: int) -> tuple[Decision, Memory]:
    """Lengthen where calm has lasted; else keep the interval, or shorten it where cost says so."""
    longest_ms, price = _longest_ms(view, rule)
    calm_ticks = memory.calm_ticks + 1 if found.urgency is Urgency.CALM else 0
    dwell_left_s = rule.dwell_s - (now_ns - memory.protected_ns) / NS_PER_S
    if calm_ticks >= rule.calm_ticks and dwell_left_s <= 0:
        interval_ms, reason = longest_ms, found.reason
    else:
        interval_ms, reason = min(memory.interval_ms, longest_ms), _patience(found, calm_ticks, dwell_left_s, rule)
    return Decision(interval_ms, reason + price), Memory(interval_ms, calm_ticks, memory.protected_ns, now_ns)


def _patience(found: Finding, calm_ticks: int, dwell_left_s: float, rule: Rule) -> str:
    if found.urgency is not Urgency.CALM:
        return found.reason
    if calm_ticks < rule.calm_ticks:
        return f"calm for {calm_ticks} of {rule.calm_ticks} ticks"
    return f"calm, {dwell_left_s:.3g} s of the dwell left"


def _longest_ms(view: View, rule: Rule) -> tuple[float, str]:
    """The interval that calm may lead to, and what cost had to say to it."""
    if rule.stakes is None:
        return rule.calm_ms, ""
    p_failed_within = view.signals.get("p_failed_within", math.nan)
    cheapest = None
    if view.cost is not None:
        cheapest = cheapest_interval_ms(view.cost, rule.stakes, p_failed_within, rule.calm_ms)
    if cheapest is None:
        return rule.protective_ms, "; the cost of checkpoints is not known, or too much at every interval"
    return max(cheapest, rule.protective_ms), "; the cheapest interval was taken"
