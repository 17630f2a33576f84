"""May the copy run? In, what is known of its stream and of the primary's host; out, a verdict and its reason.

A heartbeat tells that a host is silent, never that it is dead: where only the network between the two is cut, both
will run. Where there is a lease, that decides instead of `decide` (claim.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from failover.pulse import Pulse
from telemetry.units import NS_PER_S


class Verdict(Enum):
    """What is to become of the copy."""

    WAIT = "wait"
    DRAIN = "end the stream, and pass on what it still holds"
    TAKE_OVER = "take over"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at. Times are CLOCK_MONOTONIC in nanoseconds."""

    now_ns: int
    is_complete: bool
    """Whether the first full copy has arrived."""
    stream_heard_ns: int
    """When the stream's last bytes were read."""
    stream_ended_ns: int | None
    pulse: Pulse | None
    """Of the primary's host; None where no heartbeat daemon tells."""
    is_handed_over: bool
    """The primary has announced that it will destroy its own copy: then its life is no reason to give this one up."""
    is_ordered: bool
    """It has destroyed it, or an operator has spoken."""
    is_drained: bool = False
    """The stream has ended, and all that it has brought is with xl."""


@dataclass(frozen=True)
class Decision:
    """The verdict and its reason, in words without figures, so that the same reason is the same text."""

    verdict: Verdict
    reason: str
    is_ready: bool = False
    """Whether a lease that is given back now would be won, and the disk be had: then it may be handed over (A4)."""


class Gate(Protocol):
    """What judges; asked again and again, and whenever one of `descriptors` is ready to be read."""

    descriptors: Sequence[int]

    def judge(self, evidence: Evidence) -> Decision:
        """Never waits."""
        ...


class HeartbeatGate:
    """Judges by silence alone."""

    descriptors: Sequence[int] = ()

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def judge(self, evidence: Evidence) -> Decision:
        """As `decide` does."""
        return decide(evidence, self._timeout_s)


def decide(evidence: Evidence, timeout_s: float) -> Decision:
    """Take over after `timeout_s` of silence, give up where the primary outlives its stream, wait in every doubt."""
    if not evidence.is_complete:
        return _of_a_part(evidence)
    if evidence.is_ordered:
        return Decision(Verdict.TAKE_OVER, "ordered")
    pulse = evidence.pulse
    if pulse is None or not pulse.is_awake(evidence.now_ns):
        return Decision(Verdict.WAIT, "this host's own heartbeat daemon is not awake")
    if not pulse.heard_ns:
        return Decision(Verdict.WAIT, "no heartbeat of the primary's host was ever heard")
    return _by_pulse(evidence, pulse, timeout_s)


def _by_pulse(evidence: Evidence, pulse: Pulse, timeout_s: float) -> Decision:
    ended_ns = evidence.stream_ended_ns
    if ended_ns is not None and pulse.alive_ns > ended_ns and not evidence.is_handed_over:
        return Decision(Verdict.GIVE_UP, "the stream ended and the primary's host lives")
    last_ns = max(pulse.alive_ns, pulse.listening_since_ns, evidence.stream_heard_ns)
    if evidence.now_ns - last_ns >= timeout_s * NS_PER_S:
        return Decision(Verdict.TAKE_OVER, "the primary's host is silent")
    return Decision(Verdict.WAIT, "the primary's host lives" if ended_ns is None else "the stream ended")


def _of_a_part(evidence: Evidence) -> Decision:
    """A copy that is not whole never runs."""
    if evidence.stream_ended_ns is not None:
        return Decision(Verdict.GIVE_UP, "the stream ended before the first full copy was there")
    return Decision(Verdict.WAIT, "the first full copy is on its way")
