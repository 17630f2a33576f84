"""The planned failover by the lease (A4): in, a guest with a backup; out, its lease given back, the guest the peer's.

Before the peer could follow, and has heard the fence, nothing is paused; nothing is destroyed first: the guest stands
still here until the record names the peer, and goes on where it does not.
"""

import select
import time
from collections.abc import Callable
from typing import Final

from failover import caller, guard_store, processes
from failover.caller import Refused
from failover.guard_store import Told
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings
from failover.wire import Message, Session, WireError

_PAUSE_LIMIT_S: Final = 5.0
_ORDER_LIMIT_S: Final = 200.0
_LINE_LIMIT_S: Final = 5.0
_OUTCOME_LIMIT_S: Final = 40.0
"""The guard leaves the lease to the peer for 10 s, then asks for it, which takes as long as the fence may."""
_LOOK_S: Final = 0.05


def cede(settings: RemusSettings, domain: DomainSettings, note: Callable[[str], None]) -> tuple[Message, Message]:
    """The peer's answers; `note` is told of each step that is done. Raises ActError, FailoverError."""
    name, peer = domain.name, settings.peer_of(domain).name
    epoch = _protected(settings, name).epoch
    session, prepared = caller.call(settings, domain, "take-over")
    note("prepared")
    if prepared.get("stream_ended"):
        raise ActError(f"the stream of {name} to {peer} has ended, its copy there is old: replicate it again first")
    if prepared.get("ready") is not True:
        raise ActError(
            f"{name} goes on here, as {peer} could not take it: {prepared.get('waits_for')}; see to that, for which "
            f"hefery-remus status on {peer} tells more, and hand it over again"
        )
    guard_store.hand_over(settings.host.run_dir, name, epoch)
    if not processes.wait_until(lambda: _is_released(settings, name, epoch), _PAUSE_LIMIT_S, _LOOK_S):
        raise ActError(f"the guard of {name} was told to hand it over, and does not: see hefery-remus status")
    note("paused")
    answer, problem = _heard(settings, domain, session)
    note("taken_over")
    decided = _decided(settings, name)
    if decided is None:
        raise ActError(f"{name} stands still here: {_told(settings, name).reason}; {problem or f'{peer} has it'}")
    note("destroyed")
    if decided.epoch:
        raise ActError(f"{name} goes on here, under a new lease: {problem or f'{peer} says that it has it, too'}")
    if problem:
        raise ActError(f"{name} is {peer}'s, and was destroyed here, but: {problem}")
    return prepared, answer


def _protected(settings: RemusSettings, name: str) -> Told:
    told = _told(settings, name)
    if not told.epoch:
        raise ActError(f"{name} does not run here: {told.reason}")
    if not told.backup:
        raise ActError(f"{name} has no backup that could take over: replicate it first, and wait for status to say so")
    return told


def _told(settings: RemusSettings, name: str) -> Told:
    told = guard_store.current(settings.host.run_dir, name)
    return told or Told(name, 0, 0, is_paused=False, reason=f"its guard is not awake: start hefery-guard@{name}")


def _heard(settings: RemusSettings, domain: DomainSettings, session: Session) -> tuple[Message, str]:
    """What the peer says of the guest's waking, or what is wrong: it may have it all the same."""
    peer, deadline_s = settings.peer_of(domain).name, time.monotonic() + _ORDER_LIMIT_S
    try:
        session.tell({"released": True})
        while not select.select([session.connection], [], [], _LOOK_S)[0]:
            if _told(settings, domain.name).epoch or time.monotonic() >= deadline_s:
                return {}, f"{peer} has not taken it in time"
        return caller.accepted(session.hear(_LINE_LIMIT_S), peer), ""
    except (OSError, Refused, WireError) as error:
        return {}, str(error)


def _is_released(settings: RemusSettings, name: str, epoch: int) -> bool:
    """Whether the guard says so: one that says nothing may still hold it."""
    told = guard_store.current(settings.host.run_dir, name)
    return told is not None and told.epoch != epoch


def _decided(settings: RemusSettings, name: str) -> Told | None:
    """What the guard says once the guest is gone, or goes on here; one that says nothing has decided nothing."""
    found: list[Told] = []

    def is_decided() -> bool:
        told = guard_store.current(settings.host.run_dir, name)
        if told is not None and (not told.number or told.epoch):
            found.append(told)
        return bool(found)

    processes.wait_until(is_decided, _OUTCOME_LIMIT_S)
    return found[0] if found else None
