"""What a copy's gate learns: in, what it knew and an answer, or that none came; out, what it knows then.

The rules L and C of model/README.md: an epoch that is over stays so, and only an answer tells of another copy.
"""

from dataclasses import replace

from failover.claim_state import Asked, Claim, Limits
from failover.guard_state import OF_FENCE, Answer, Answers, Ask, Denied, Given
from failover.lease import Held, Noted, Refused, Released, Unknown
from failover.lease_record import Record
from failover.patience import PROBED_NS, soon_ns
from telemetry.units import NS_PER_S


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
            ask_ns = now_ns if claim.epoch else now_ns + PROBED_NS // 2
            return replace(claim, fence_answered_ns=now_ns, fence_ask_ns=ask_ns, fence_silence="")
    return _heard_in_epoch(claim, answer, now_ns, limits) if asked.epoch == claim.epoch else claim


def _unanswered(claim: Claim, ask: Ask, reason: str, now_ns: int, limits: Limits) -> Claim:
    """As before, but what was to be written of the guest may yet be, and ends the epoch (L2)."""
    if ask in OF_FENCE:
        return replace(
            claim, fence_ask_ns=soon_ns(now_ns, limits), fence_silence=f"the fence does not answer: {reason}"
        )
    if ask is Ask.TELL:
        claim = _over(claim, "")
    ask_ns = soon_ns(now_ns, limits)
    return replace(claim, ask_ns=ask_ns, named_ns=None, reason=f"no answer of the lease server: {reason}")


def _not_won(claim: Claim, asked: Asked, refused: Refused, now_ns: int, limits: Limits) -> Claim:
    record, ask_ns = refused.record, soon_ns(now_ns, limits)
    if record.beat != claim.beat:
        claim = replace(claim, beat=record.beat, beat_ns=now_ns)
    if limits.is_named(record, has_won=asked.has_won):
        reason = _of_lease(record)
        free_ns = now_ns + int((refused.free_in_s or 0) * NS_PER_S)
        if free_ns > now_ns:
            claim, ask_ns = replace(claim, free_ns=free_ns), min(ask_ns, free_ns)
        return replace(claim, ask_ns=ask_ns, named_ns=now_ns, reason=reason)
    runner = f"the guest is {record.runner}'s" if record.runner else "nobody has told whose the guest is"
    reason = f"{runner}, and this copy is no backup of it"
    return replace(claim, ask_ns=ask_ns, named_ns=None, is_superseded=asked.is_final, reason=reason)


def _of_lease(record: Record) -> str:
    if not record.is_held:
        return "the lease is free, the fence is still to be heard"
    return f"the lease is {record.holder}'s, until it gives it back or is silent for {record.ttl_s:g} s"


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
            return burn(claim, f"the fence refuses the disk: {reason}", now_ns, now_ns + limits.renew_ns)
    return claim


def _renewed(claim: Claim, held: Held, limits: Limits) -> Claim:
    """`until_ns` counts from the asking, and so does the next renewal.

    While the fence is called nothing runs under the lease yet, and it is renewed just often enough: what is to be
    written once the disk is there would wait for the answer.
    """
    period_ns = limits.renew_ns if claim.is_fenced else limits.ttl_ns // 2
    ask_ns = held.until_ns - limits.ttl_ns + period_ns
    return replace(claim, deadline_ns=held.until_ns - limits.margin_ns, ask_ns=ask_ns)


def _over(claim: Claim, reason: str) -> Claim:
    """The epoch is over; another is to be claimed."""
    return replace(claim, epoch=0, deadline_ns=0, is_fenced=False, is_taken=False, fence_ask_ns=0, reason=reason)


def burn(claim: Claim, reason: str, now_ns: int, claim_ns: int) -> Claim:
    """The epoch is over for this host, and given back."""
    return replace(_over(claim, reason), burnt_epoch=claim.epoch, ask_ns=now_ns, claim_ns=claim_ns)
