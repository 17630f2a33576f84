"""How a copy becomes the guest: in, what is known and seen of it; out, what to ask, and whether it may wake or must go.

The rules C of model/README.md: reason to begin, lease, fence, record, the stream read to its end, this host's guard,
and only then awake. Nothing but an answer that tells of another copy destroys this one.
"""

from typing import Final

from failover.claim_answers import burn
from failover.claim_state import Begin, Claim, Limits, Sight, Step
from failover.gate import Evidence, Verdict
from failover.guard_state import Ask
from failover.guard_store import Armed
from failover.patience import FENCE_LIMIT_NS, PROBED_NS, is_fresh
from telemetry.units import NS_PER_S

_SELDOM_NS: Final = 60 * NS_PER_S
"""Between two calls of the fence while nothing is urgent: they keep its connection open."""
_STREAM_SILENT_NS: Final = NS_PER_S


def begins(evidence: Evidence, silence_ns: int) -> Begin:
    """What has happened; `silence_ns` is that of the primary's host. All times are CLOCK_MONOTONIC."""
    if evidence.is_ordered or evidence.is_handed_over:
        return Begin.CEDED
    if evidence.stream_ended_ns is not None:
        return Begin.ENDED
    pulse, stream_ns = evidence.pulse, evidence.stream_heard_ns
    if pulse is not None and pulse.heard_ns and pulse.is_awake(evidence.now_ns):
        last_ns = max(pulse.alive_ns, pulse.listening_since_ns, stream_ns)
        if evidence.now_ns - last_ns >= silence_ns:
            return Begin.SILENT_HOST
    return Begin.SILENT_STREAM if evidence.now_ns - stream_ns >= _STREAM_SILENT_NS else Begin.CALM


def decide(claim: Claim, now_ns: int, sight: Sight, limits: Limits) -> tuple[Claim, Step]:
    """One step: what is known after it, and what to do."""
    if not sight.is_whole:
        return claim, _of_a_part(sight)
    if sight.is_armed:
        return claim, _of_the_armed(claim, sight)
    if claim.is_superseded:
        return claim, Step(Verdict.GIVE_UP, claim.reason)
    if claim.epoch and not claim.is_fenced and now_ns - claim.won_ns > FENCE_LIMIT_NS:
        claim = burn(claim, "the fence does not answer: others may try", now_ns, now_ns + limits.away_ns)
    asks = tuple(_asks(claim, now_ns, sight, limits))
    if claim.is_taken:
        return claim, _end(claim, now_ns, sight, asks)
    is_ready = is_fresh(claim.named_ns, now_ns) and is_fresh(claim.fence_answered_ns, now_ns) and not _obstacle(sight)
    epoch = claim.epoch or claim.burnt_epoch
    return claim, Step(Verdict.WAIT, _reason(claim, sight), asks, epoch, is_ready=is_ready)


def _of_a_part(sight: Sight) -> Step:
    """It is nobody's backup, whatever any record says."""
    if sight.has_ended:
        return Step(Verdict.GIVE_UP, "the stream ended before the first full copy was there")
    return Step(Verdict.WAIT, "the first full copy is on its way")


def _of_the_armed(claim: Claim, sight: Sight) -> Step:
    """From now on it is the guard that renews (C7)."""
    if sight.is_guarded:
        return Step(Verdict.TAKE_OVER, f"epoch {claim.epoch} was won")
    return Step(Verdict.WAIT, "this host's guard has not taken the lease up")


def _end(claim: Claim, now_ns: int, sight: Sight, asks: tuple[Ask, ...]) -> Step:
    """The copy is the guest: what was acknowledged of the stream belongs to it (C6)."""
    if not sight.is_drained:
        return Step(Verdict.DRAIN, "the stream is read to its end", asks, claim.epoch)
    if sight.number is None or now_ns >= claim.deadline_ns:
        return Step(Verdict.WAIT, "the lease was not renewed in time", asks, claim.epoch)
    return Step(Verdict.WAIT, "the copy is the guest now", armed=Armed(sight.number, claim.epoch, claim.deadline_ns))


def _asks(claim: Claim, now_ns: int, sight: Sight, limits: Limits) -> list[Ask]:
    lease_ns = fence_ns = now_ns
    if not _is_urgent(claim, now_ns, sight, limits):
        lease_ns -= limits.renew_ns // 2  # in calm, too: a beat's time to live counts from when it was first seen
        fence_ns -= _SELDOM_NS
    asks = []
    must_tell = claim.is_fenced and not claim.is_taken  # whatever a renewal before it has come to
    if not sight.is_lease_asked and (must_tell or lease_ns >= claim.ask_ns):
        asks.append(_of_lease(claim, now_ns, sight, limits))
    if not sight.is_fence_asked and fence_ns >= claim.fence_ask_ns and (ask := _of_fence(claim, now_ns, limits)):
        asks.append(ask)
    return asks


def _is_urgent(claim: Claim, now_ns: int, sight: Sight, limits: Limits) -> bool:
    """A silent stream is so only where the lease is not renewed either."""
    if sight.begins is Begin.SILENT_STREAM and not (claim.epoch or claim.burnt_epoch):
        return claim.beat_ns > 0 and now_ns - claim.beat_ns >= limits.ttl_ns // 2
    return sight.begins is not Begin.CALM or claim.epoch > 0 or claim.burnt_epoch > 0


def _of_fence(claim: Claim, now_ns: int, limits: Limits) -> Ask | None:
    """Nothing where its last sign of life will do until the lease may be won: then it is to be called at once."""
    if claim.epoch:
        return None if claim.is_fenced else Ask.FENCE
    answered_ns = claim.fence_answered_ns
    will_do = answered_ns is not None and claim.free_ns - answered_ns <= PROBED_NS
    return None if will_do and now_ns < claim.free_ns + limits.renew_ns else Ask.PROBE


def _of_lease(claim: Claim, now_ns: int, sight: Sight, limits: Limits) -> Ask:
    if claim.epoch:
        return Ask.TELL if claim.is_fenced and not claim.is_taken else Ask.RENEW
    if claim.burnt_epoch:
        return Ask.RELEASE
    is_reached = is_fresh(claim.fence_answered_ns, now_ns)
    is_due = now_ns >= claim.claim_ns and _is_urgent(claim, now_ns, sight, limits)
    return Ask.CLAIM if is_reached and is_due and not _obstacle(sight) else Ask.LOOK


def _obstacle(sight: Sight) -> str:
    """What this host lacks to claim the lease."""
    if not sight.is_guard_awake:
        return "this host's guard is not awake"
    return "Xen's number of the copy is not known yet" if sight.number is None else ""


def _reason(claim: Claim, sight: Sight) -> str:
    begins: str = sight.begins.value
    return (
        begins if sight.begins is Begin.CALM else f"{begins}: {_obstacle(sight) or claim.fence_silence or claim.reason}"
    )
