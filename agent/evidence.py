"""What the governor may act on: in, decisions as they are seen; out, the one that counts, until when, and any doubt."""

import math
from dataclasses import dataclass, replace
from typing import Self

from agent.clock import Now
from agent.order import Order
from telemetry.point import Point, Value
from telemetry.units import NS_PER_S

CREDIBLE_S = 3600
"""Intervals and validities beyond an hour are taken for mistakes, such as one of units."""

_CREDIBLE_SEQUENCE = 10**18 - 1  # what an order has room for


@dataclass(frozen=True)
class Limits:
    """What this host allows: `protective_ms` is the interval of doubt and the shortest; times in nanoseconds."""

    protective_ms: int
    max_ms: int
    future_tolerance_ns: int

    def clamp(self, interval_ms: float) -> int:
        """The whole interval within the limits, rounded to the shorter side."""
        return max(self.protective_ms, math.floor(min(interval_ms, self.max_ms)))


@dataclass(frozen=True)
class Decision:
    """A decision as it was found in the store: what is missing or of the wrong kind is None."""

    domain: str
    time_ns: int
    sequence: int | None
    interval_ms: float | None
    valid_for_s: float | None
    reason: str

    @classmethod
    def of(cls, point: Point) -> Self:
        """The decision that a point of the store tells."""
        sequence, reason = point.fields.get("sequence"), point.fields.get("reason")
        return cls(
            point.tags["domain"],
            point.time_ns,
            sequence if isinstance(sequence, int) else None,
            _number(point.fields.get("interval_ms")),
            _number(point.fields.get("valid_for_s")),
            reason if isinstance(reason, str) else "no reason given",
        )


def _number(value: Value | None) -> float | None:
    return value if isinstance(value, float) else None


@dataclass(frozen=True)
class Evidence:
    """A decision that was accepted, its interval within the limits, and when it ends on the monotonic clock.

    `disputed`: another decision contradicts it; until it ends, nothing may lengthen or prolong it.
    """

    sequence: int
    time_ns: int
    interval_ms: int
    expires_monotonic_ns: int
    reason: str
    disputed: bool = False

    @classmethod
    def of_order(cls, order: Order, now: Now, limits: Limits) -> Self:
        """What an order file that a former run left still says: it may run out or be shortened, not be renewed."""
        expires_ns = order.deadline_monotonic_ns if order.stands(now.monotonic_ns) else now.monotonic_ns
        return cls(order.sequence, 0, limits.clamp(order.interval_ms), expires_ns, "order of a former run")

    def stands(self, now: Now) -> bool:
        """Whether it has not ended."""
        return now.monotonic_ns < self.expires_monotonic_ns


def weigh(known: Evidence | None, decision: Decision, seen: Now, limits: Limits) -> tuple[Evidence | None, str | None]:
    """What counts after `decision` was seen at `seen`, and the doubt about it, if any.

    A doubtful decision never lengthens or prolongs what is known; it can only shorten it.
    """
    if known is not None and (known.sequence, known.time_ns) == (decision.sequence, decision.time_ns):
        return _repeated(known, decision, seen, limits), None
    if doubt := _fault(decision, seen, limits):
        return known and _shortened(known, decision, limits), doubt
    if known is not None and (doubt := _contradiction(known, decision, seen)):
        return replace(_shortened(known, decision, limits), disputed=known.stands(seen)), doubt
    return _accepted(decision, seen, limits), None


def _fault(decision: Decision, seen: Now, limits: Limits) -> str | None:
    """Why nothing can be done with the decision itself; comparisons are written so that NaN is a fault."""
    if decision.sequence is None or not 0 <= decision.sequence <= _CREDIBLE_SEQUENCE:
        return "its sequence is missing or out of range"
    if decision.interval_ms is None or not 0 < decision.interval_ms <= CREDIBLE_S * 1000:
        return "its interval_ms is missing or out of range"
    if decision.valid_for_s is None or not 0 < decision.valid_for_s <= CREDIBLE_S:
        return "its valid_for_s is missing or out of range"
    if decision.time_ns > seen.wall_ns + limits.future_tolerance_ns:
        return "it comes from the future: compare the clocks of this host and of the predictor's"
    if _expiry_ns(decision, seen) <= seen.monotonic_ns:
        return "it was past its valid_for_s when first seen: is the predictor alive, do the clocks agree?"
    return None


def _contradiction(known: Evidence, decision: Decision, seen: Now) -> str | None:
    """Why the decision does not follow what is known; one that has ended gives way to any newer one but itself."""
    if decision.time_ns <= known.time_ns:
        return "it is not newer than the one before it"
    if decision.sequence == known.sequence:
        return "its sequence was acted on before"
    if known.stands(seen) and known.disputed:
        return "decisions have contradicted each other: is there a second predictor?"
    if known.stands(seen) and (decision.sequence or 0) < known.sequence:
        return "its sequence went back: is there a second predictor?"
    return None


def _accepted(decision: Decision, seen: Now, limits: Limits) -> Evidence:
    assert decision.sequence is not None
    assert decision.interval_ms is not None
    interval_ms = limits.clamp(decision.interval_ms)
    return Evidence(decision.sequence, decision.time_ns, interval_ms, _expiry_ns(decision, seen), decision.reason)


def _repeated(known: Evidence, decision: Decision, seen: Now, limits: Limits) -> Evidence:
    """The same decision again: its age goes on from the first sight, and if it reads otherwise, the shorter counts."""
    shorter = _shortened(known, decision, limits)
    if decision.valid_for_s is None or not 0 < decision.valid_for_s <= CREDIBLE_S:
        return shorter
    latest_ns = seen.monotonic_ns + int(decision.valid_for_s * NS_PER_S)
    return replace(shorter, expires_monotonic_ns=min(known.expires_monotonic_ns, latest_ns))


def _shortened(known: Evidence, decision: Decision, limits: Limits) -> Evidence:
    if decision.interval_ms is None or not 0 < decision.interval_ms < known.interval_ms:
        return known
    return replace(known, interval_ms=limits.clamp(decision.interval_ms), reason=decision.reason)


def _expiry_ns(decision: Decision, seen: Now) -> int:
    assert decision.valid_for_s is not None
    age_ns = max(0, seen.wall_ns - decision.time_ns)
    return seen.monotonic_ns + int(decision.valid_for_s * NS_PER_S) - age_ns
