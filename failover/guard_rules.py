"""What a guard does: in, what it knows and sees; out, an act on the guest, its reason, and what is to be asked.

The rules G and C of model/README.md: whatever is unknown, late or contradictory pauses, and nothing but an answer that
says that the guest is another host's destroys.
"""

from dataclasses import replace

from failover.guard_answers import burn, over
from failover.guard_state import Act, Ask, Decision, Evidence, Limits, State
from failover.patience import FENCE_LIMIT_NS, is_fresh


def may_run(state: State, now_ns: int, limits: Limits) -> bool:
    """Whether the guest may; a deadline further away than any answer could put it is none: the clock has gone back."""
    return state.is_ready and 0 < state.deadline_ns - now_ns <= limits.pause_ns


def decide(state: State, now_ns: int, evidence: Evidence, limits: Limits) -> tuple[State, Decision]:
    """One step: what is known after it, and what to do."""
    if evidence.is_known and evidence.domain is None:
        return _without_guest(state, evidence)
    if state.epoch and not state.is_fenced and now_ns - state.held_since_ns > FENCE_LIMIT_NS:
        state = burn(state, "the fence does not answer: others may try", now_ns + limits.away_ns)
    act, reason = _act(state, now_ns, evidence, limits)
    asks, mark = tuple(_asks(state, now_ns, evidence)), evidence.wanted or ""
    if Ask.TELL in asks:
        state = replace(state, backup=None, telling=mark)
    return state, Decision(act, reason, asks, state.epoch or state.burnt_epoch, mark)


def _without_guest(state: State, evidence: Evidence) -> tuple[State, Decision]:
    """That it has halted is told, so that its backup does not bring it back; a crash is not: it shall (G6)."""
    reason = "the domain is not here"
    if evidence.has_halted and state.epoch:
        if evidence.is_lease_asked:
            return state, Decision(Act.HOLD, reason)
        return over(state, reason), Decision(Act.HOLD, reason, (Ask.END,), state.epoch)
    return replace(over(state, State.reason), is_superseded=False), Decision(Act.HOLD, reason)


def _act(state: State, now_ns: int, evidence: Evidence, limits: Limits) -> tuple[Act, str]:
    if evidence.domain is None:
        return Act.PAUSE, "Xen cannot tell how it is"
    if may_run(state, now_ns, limits):
        return (Act.UNPAUSE if evidence.is_paused_by_us else Act.HOLD), "the lease is held"
    reason = state.reason or "the lease was not renewed in time"
    if not _is_still(evidence):
        return Act.PAUSE, reason
    return (Act.DESTROY if state.is_superseded else Act.HOLD), reason


def _is_still(evidence: Evidence) -> bool:
    return evidence.is_paused_by_us and evidence.domain is not None and evidence.domain.is_paused


def _asks(state: State, now_ns: int, evidence: Evidence) -> list[Ask]:
    if state.is_superseded:
        return []
    asks = []
    is_due = now_ns >= state.ask_ns or _must_tell(state, evidence)
    if not evidence.is_lease_asked and is_due and (ask := _of_lease(state, now_ns, evidence)):
        asks.append(ask)
    if not evidence.is_fence_asked and now_ns >= state.fence_ask_ns and (ask := _of_fence(state)):
        asks.append(ask)
    return asks


def _of_lease(state: State, now_ns: int, evidence: Evidence) -> Ask | None:
    if state.epoch:
        return Ask.TELL if _must_tell(state, evidence) else Ask.RENEW
    if state.burnt_epoch and not state.is_released:
        return Ask.RELEASE if _is_still(evidence) else None
    if now_ns < state.claim_ns:
        return Ask.LOOK
    return Ask.CLAIM if is_fresh(state.fence_answered_ns, now_ns) else None


def _must_tell(state: State, evidence: Evidence) -> bool:
    """That the guest is this host's, or that another copy shall be its backup, or none."""
    is_wanted = evidence.wanted is not None and evidence.wanted != state.backup
    return state.epoch > 0 and state.is_fenced and (not state.is_told or is_wanted)


def _of_fence(state: State) -> Ask | None:
    if state.epoch:
        return None if state.is_fenced else Ask.FENCE
    return Ask.PROBE
