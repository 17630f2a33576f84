"""What a guard learns: in, what it knew and an answer, or that none came; out, what it knows then.

The rules G, L and C of model/README.md: an epoch that is over stays so, and only an answer says that it is superseded.
"""

from dataclasses import replace
from typing import Final

from failover.guard_state import OF_FENCE, Answer, Answers, Ask, Denied, Given, Limits, State, Won
from failover.lease import Held, Noted, OtherTerm, Refused, Released
from failover.lease_record import Record
from failover.patience import PROBED_NS, soon_ns
from telemetry.units import NS_PER_S

_HAND_OVER_NS: Final = 10 * NS_PER_S
"""For the other host to take the guest, when it is handed over (A4)."""


def heard(state: State, answer: Answer, now_ns: int, limits: Limits) -> State:
    """After an answer; one of an epoch that is not held any more changes nothing.

    Nor does the refusal of a claim where another process of this host has won it, and has armed this guard.
    """
    match answer:
        case Won(held) if not state.epoch and held.epoch > state.burnt_epoch:
            return _won(state, answer, now_ns, limits)
        case Held(epoch) if epoch == state.epoch:
            return _renewed(state, answer, limits)
        case OtherTerm(epoch, ttl_s) if epoch == state.epoch:
            return burn(state, f"the lease was won for {ttl_s:g} s, which are others now: it is won anew", now_ns)
        case Refused(record) if not _holds(record, state, limits):
            return _refused(state, answer, now_ns, limits)
        case Noted() | Released():
            return _written(state, answer)
    return _heard_of_fence(state, answer, now_ns, limits)


def unanswered(state: State, ask: Ask, reason: str, now_ns: int, limits: Limits) -> State:
    """After silence: as before, but what was to be written of the guest may yet be, and ends the epoch (L2)."""
    again_ns = soon_ns(now_ns, limits)
    if ask in OF_FENCE:
        return replace(state, fence_ask_ns=again_ns, reason=f"the fence does not answer: {reason}")
    if ask is Ask.TELL and state.telling is not None:
        state = over(state, reason)
    return replace(state, ask_ns=again_ns, reason=f"no answer of the lease server: {reason}")


def over(state: State, reason: str) -> State:
    """The epoch is over; another is to be claimed."""
    return State(
        last_epoch=state.last_epoch,
        burnt_epoch=state.burnt_epoch,
        is_released=state.is_released,
        ask_ns=state.ask_ns,
        claim_ns=state.claim_ns,
        fence_answered_ns=state.fence_answered_ns,
        is_superseded=state.is_superseded,
        reason=reason,
    )


def hand_over(state: State, epoch: int, now_ns: int) -> State:
    """The guest is to be another's, who leaves it here by not coming in time. Of an older epoch it changes nothing."""
    if epoch != state.epoch or not epoch:
        return state
    return burn(state, "it is handed over", now_ns + _HAND_OVER_NS)


def burn(state: State, reason: str, claim_ns: int) -> State:
    """The epoch is over for this host, and given back once the guest stands still."""
    return replace(over(state, reason), burnt_epoch=state.epoch, is_released=False, ask_ns=0, claim_ns=claim_ns)


def _written(state: State, answer: Noted | Released) -> State:
    if isinstance(answer, Noted) and state.epoch and state.telling is not None:
        return replace(state, is_told=True, backup=state.telling, telling=None)
    if isinstance(answer, Released) and state.burnt_epoch:
        return replace(state, is_released=True)
    return state


def _heard_of_fence(state: State, answer: Answer, now_ns: int, limits: Limits) -> State:
    match answer:
        case Answers():
            ask_ns = now_ns if state.epoch else now_ns + PROBED_NS // 2  # what is won meanwhile waits for the disk
            return replace(state, fence_answered_ns=now_ns, fence_ask_ns=ask_ns)
        case Given(epoch) if epoch == state.epoch:
            ask_ns = state.ask_ns if state.is_told else now_ns
            return replace(state, is_fenced=True, fence_answered_ns=now_ns, ask_ns=ask_ns)
        case Denied(epoch, reason) if epoch == state.epoch:
            return burn(state, f"the fence refuses the disk: {reason}", now_ns + limits.renew_ns)
    return state


def _won(state: State, won: Won, now_ns: int, limits: Limits) -> State:
    held, backup = won.held, won.backup if won.is_told else None
    new = replace(over(state, ""), epoch=held.epoch, last_epoch=held.epoch, held_since_ns=now_ns)
    new = replace(new, is_told=won.is_told, backup=backup, burnt_epoch=0, is_released=False, claim_ns=0)
    return replace(_renewed(new, held, limits), reason="the disk is not yet this epoch's")


def _renewed(state: State, held: Held, limits: Limits) -> State:
    deadline_ns = held.until_ns - limits.margin_ns
    ask_ns = deadline_ns - limits.pause_ns + limits.renew_ns  # counted from the last asking
    return replace(state, deadline_ns=deadline_ns, ask_ns=ask_ns, reason="" if state.is_ready else state.reason)


def _refused(state: State, answer: Refused, now_ns: int, limits: Limits) -> State:
    record = answer.record
    if record.runner in {"", limits.host}:
        reason = f"the lease is held by {record.holder}" if record.is_held else "the lease was given back"
    elif record.runner_epoch > state.last_epoch:
        reason = f"superseded: the guest is {record.runner}'s"
        return replace(over(state, reason), is_superseded=True)
    else:
        reason = f"etcd contradicts itself: the guest is {record.runner}'s, of an epoch before this host's last"
    return replace(over(state, reason), ask_ns=soon_ns(now_ns, limits))


def _holds(record: Record, state: State, limits: Limits) -> bool:
    return record.is_held and record.holder == limits.host and record.epoch == state.epoch
