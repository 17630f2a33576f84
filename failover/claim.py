"""How a copy becomes the guest: in, what is known and seen of it; out, what to ask, and whether it may wake or must go.

The rules C of model/README.md: reason to begin, lease, fence, record, the stream read to its end, this host's guard,
and only then awake. Nothing but an answer that tells of another copy destroys this one.
"""

from dataclasses import replace
from typing import Final

from failover.claim_state import OF_FENCE, Answer, Ask, Asked, Claim, Limits, Sight, Step
from failover.gate import Evidence, Verdict
from failover.guard_state import Answers, Denied, Given
from failover.guard_store import Armed
from failover.lease import Held, Noted, Refused, Released, Unknown
from telemetry.units import NS_PER_S

_PROBED_NS: Final = 2 * NS_PER_S
"""How old the fence's last sign of life may be where a lease is claimed (C1)."""
_FENCE_LIMIT_NS: Final = 10 * NS_PER_S
"""A lease without its disk is not kept from others for longer (C4)."""
_SELDOM_NS: Final = 60 * NS_PER_S
"""Between two looks while the primary seems well: they keep connections open, and tokens valid."""
_STREAM_SILENT_NS: Final = 10 * NS_PER_S
"""Longer than the longest interval between checkpoints."""
_TRIES_A_RENEWAL: Final = 5


def begins(evidence: Evidence, silence_ns: int) -> str:
    """Why to look at the lease, which alone decides; empty for no reason. All times are CLOCK_MONOTONIC."""
    if evidence.is_ordered or evidence.is_handed_over:
        return "the primary hands the guest over"
    if evidence.stream_ended_ns is not None:
        return "the stream has ended"
    pulse, stream_ns = evidence.pulse, evidence.stream_heard_ns
    if pulse is not None and pulse.heard_ns and pulse.is_awake(evidence.now_ns):
        last_ns = max(pulse.alive_ns, pulse.listening_since_ns, stream_ns)
        if evidence.now_ns - last_ns >= silence_ns:
            return "the primary's host is silent"
    return "the stream is silent" if evidence.now_ns - stream_ns >= _STREAM_SILENT_NS else ""


def decide(claim: Claim, now_ns: int, sight: Sight, limits: Limits) -> tuple[Claim, Step]:
    """One step: what is known after it, and what to do."""
    if not sight.is_whole:
        return claim, _of_a_part(sight)
    if sight.is_armed:
        return claim, _of_the_armed(claim, sight)
    if claim.is_superseded:
        return claim, Step(Verdict.GIVE_UP, claim.reason)
    if claim.epoch and not claim.is_fenced and now_ns - claim.won_ns > _FENCE_LIMIT_NS:
        claim = _burn(claim, "the fence does not answer: others may try", now_ns, now_ns + limits.away_ns)
    asks = tuple(_asks(claim, now_ns, sight, limits))
    if claim.is_taken:
        return claim, _end(claim, now_ns, sight, asks)
    return claim, Step(Verdict.WAIT, _reason(claim, sight), asks, claim.epoch or claim.burnt_epoch)


def heard(claim: Claim, asked: Asked, answer: Answer, now_ns: int, limits: Limits) -> Claim:
    """What is known after an answer; one of an epoch that is not held any more changes nothing."""
    match answer:
        case Unknown(reason):
            return _unanswered(claim, asked.ask, reason, now_ns, limits)
        case Refused() if asked.ask in {Ask.LOOK, Ask.CLAIM}:
            return _not_won(claim, asked, answer, now_ns, limits)
        case Held() if asked.ask is Ask.CLAIM:
            return _won(claim, answer, now_ns, limits)
        case Released():
            return replace(claim, burnt_epoch=0, ask_ns=now_ns)
        case Answers():
            ask_ns = now_ns if claim.epoch else now_ns + _PROBED_NS // 2
            return replace(claim, fence_answered_ns=now_ns, fence_ask_ns=ask_ns, fence_silence="")
    return _heard_in_epoch(claim, answer, now_ns, limits) if asked.epoch == claim.epoch else claim


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
    is_busy = bool(sight.begins or claim.epoch or claim.burnt_epoch)
    due_ns = now_ns if is_busy else now_ns - _SELDOM_NS
    asks = []
    if not sight.is_lease_asked and due_ns >= claim.ask_ns:
        asks.append(_of_lease(claim, now_ns, sight))
    if not sight.is_fence_asked and due_ns >= claim.fence_ask_ns and (ask := _of_fence(claim, now_ns, limits)):
        asks.append(ask)
    return asks


def _of_fence(claim: Claim, now_ns: int, limits: Limits) -> Ask | None:
    """Nothing where its last sign of life will do until the lease may be won: then it is to be called at once."""
    if claim.epoch:
        return None if claim.is_fenced else Ask.FENCE
    answered_ns = claim.fence_answered_ns
    will_do = answered_ns is not None and claim.free_ns - answered_ns <= _PROBED_NS
    return None if will_do and now_ns < claim.free_ns + limits.renew_ns else Ask.PROBE


def _of_lease(claim: Claim, now_ns: int, sight: Sight) -> Ask:
    if claim.epoch:
        return Ask.TAKE if claim.is_fenced and not claim.is_taken else Ask.RENEW
    if claim.burnt_epoch:
        return Ask.RELEASE
    answered_ns = claim.fence_answered_ns
    is_reached = answered_ns is not None and 0 <= now_ns - answered_ns <= _PROBED_NS
    may_win = is_reached and now_ns >= claim.claim_ns and sight.begins and not _obstacle(sight)
    return Ask.CLAIM if may_win else Ask.LOOK


def _obstacle(sight: Sight) -> str:
    """What this host lacks to claim the lease."""
    if not sight.is_guard_awake:
        return "this host's guard is not awake"
    return "Xen's number of the copy is not known yet" if sight.number is None else ""


def _reason(claim: Claim, sight: Sight) -> str:
    if not sight.begins:
        return "the primary lives"
    return f"{sight.begins}: {_obstacle(sight) or claim.fence_silence or claim.reason}"


def _unanswered(claim: Claim, ask: Ask, reason: str, now_ns: int, limits: Limits) -> Claim:
    """As before, but what was to be written of the guest may yet be, and ends the epoch (L2)."""
    if ask in OF_FENCE:
        return replace(
            claim, fence_ask_ns=_soon_ns(now_ns, limits), fence_silence=f"the fence does not answer: {reason}"
        )
    if ask is Ask.TAKE:
        claim = _over(claim, "")
    return replace(claim, ask_ns=_soon_ns(now_ns, limits), reason=f"no answer of the lease server: {reason}")


def _not_won(claim: Claim, asked: Asked, refused: Refused, now_ns: int, limits: Limits) -> Claim:
    record, ask_ns = refused.record, _soon_ns(now_ns, limits)
    if limits.is_named(record, has_won=asked.has_won):
        reason = (
            f"the lease is {record.holder}'s" if record.is_held else "the lease is free, the fence is still to be heard"
        )
        free_ns = now_ns + int((refused.free_in_s or 0) * NS_PER_S)
        if free_ns > now_ns:
            claim, ask_ns = replace(claim, free_ns=free_ns), min(ask_ns, free_ns)
        return replace(claim, ask_ns=ask_ns, reason=reason)
    runner = f"the guest is {record.runner}'s" if record.runner else "nobody has told whose the guest is"
    reason = f"{runner}, and this copy is no backup of it"
    return replace(claim, ask_ns=ask_ns, is_superseded=asked.is_final, reason=reason)


def _won(claim: Claim, held: Held, now_ns: int, limits: Limits) -> Claim:
    new = replace(_over(claim, "the disk is not yet this epoch's"), epoch=held.epoch, won_ns=now_ns, has_won=True)
    return _renewed(replace(new, fence_ask_ns=0), held, limits)


def _heard_in_epoch(claim: Claim, answer: Answer, now_ns: int, limits: Limits) -> Claim:
    match answer:
        case Held():
            return _renewed(claim, answer, limits)
        case Refused(record):
            return replace(_over(claim, f"the lease was lost to {record.holder}"), ask_ns=now_ns)
        case Noted():
            return replace(claim, is_taken=True)
        case Given():
            return replace(claim, is_fenced=True, fence_silence="", ask_ns=now_ns, reason="the record is to be written")
        case Denied(_, reason):
            return _burn(claim, f"the fence refuses the disk: {reason}", now_ns, now_ns + limits.renew_ns)
    return claim


def _renewed(claim: Claim, held: Held, limits: Limits) -> Claim:
    """`until_ns` counts from the asking, and so does the next renewal."""
    ask_ns = held.until_ns - limits.ttl_ns + limits.renew_ns
    return replace(claim, deadline_ns=held.until_ns - limits.margin_ns, ask_ns=ask_ns)


def _over(claim: Claim, reason: str) -> Claim:
    """The epoch is over; another is to be claimed."""
    return replace(claim, epoch=0, deadline_ns=0, is_fenced=False, is_taken=False, fence_ask_ns=0, reason=reason)


def _burn(claim: Claim, reason: str, now_ns: int, claim_ns: int) -> Claim:
    """The epoch is over for this host, and given back."""
    return replace(_over(claim, reason), burnt_epoch=claim.epoch, ask_ns=now_ns, claim_ns=claim_ns)


def _soon_ns(now_ns: int, limits: Limits) -> int:
    return now_ns + limits.renew_ns // _TRIES_A_RENEWAL
