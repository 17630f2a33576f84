"""The planned failover: in, a domain; out, destroyed here, then woken by the peer, with the time of each step."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from failover import caller, events, primary, processes, xl
from failover.ceding import cede
from failover.primary import ActError
from failover.processes import Process
from failover.settings import DomainSettings, RemusSettings
from failover.wire import Message
from failover.xl import XlError

_log = logging.getLogger(__name__)

_ORDER_LIMIT_S: Final = 200.0


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Do it, and tell of it; raises ActError or Refused."""
    primary.tell(hand_over(settings, domain))
    return 0


def hand_over(settings: RemusSettings, domain: DomainSettings) -> Mapping[str, object]:
    """Announce, destroy, order; with a lease nothing is destroyed first. What it has shown; raises ActError or Refused.

    What was begun may be done again, and goes on.
    """
    name, peer = domain.name, settings.peer_of(domain).name
    watch = _Watch()
    with primary.alone(settings, domain):
        by = cede if settings.lease is not None else _destroy_first
        prepared, answer = by(settings, domain, watch.note)
    events.tell("handed_over", name, f"destroyed here, runs on {peer}")
    return {
        "act": "hand-over",
        "domain": name,
        "from": settings.host.name,
        "to": peer,
        "prepared": dict(prepared),
        "peer_answered": dict(answer),
        "steps_s": watch.steps_s,
        "stood_still_s": round(watch.steps_s["taken_over"] - watch.steps_s["prepared"], 3),
    }


def _destroy_first(
    settings: RemusSettings, domain: DomainSettings, note: Callable[[str], None]
) -> tuple[Message, Message]:
    """Where nothing but this host's word tells the peer that it may wake its copy; the peer's answers."""
    name, peer = domain.name, settings.peer_of(domain).name
    replication = [*processes.remus_of(name), *processes.helpers_of(name)]
    session, prepared = caller.call(settings, domain, "take-over")
    note("prepared")
    _check_alive(prepared, name, peer)
    _end(replication)
    note("replication_killed")
    _destroy(name, peer)
    note("destroyed")
    session.tell({"destroyed": True})
    answer = caller.accepted(session.hear(_ORDER_LIMIT_S), peer)
    note("taken_over")
    return prepared, answer


class _Watch:
    """When each step was done, in seconds since the beginning."""

    def __init__(self) -> None:
        self.steps_s: dict[str, float] = {}
        self._began_s = time.monotonic()

    def note(self, step: str) -> None:
        """The step is done."""
        self.steps_s[step] = round(time.monotonic() - self._began_s, 3)


def _check_alive(prepared: Mapping[str, object], name: str, peer: str) -> None:
    """A stream that has ended is no reason to stop only where an earlier hand-over has ended it."""
    if prepared.get("stream_ended") and name in xl.domains():
        raise ActError(f"the stream of {name} to {peer} has ended, its copy there is old: replicate it again first")


def _end(replication: Sequence[Process]) -> None:
    """By SIGKILL, so that no checkpoint is half committed: the guest may now be suspended, and is to be destroyed."""
    if left := processes.kill(replication):
        raise ActError(f"processes {[process.pid for process in left]} do not end by SIGKILL; nothing was destroyed")


def _destroy(name: str, peer: str) -> None:
    """At once, as the guest stands still; that it was not there any more is seen afterwards."""
    try:
        xl.destroy(name)
    except XlError as error:
        _log.warning("%s", error)
    if name in xl.domains():
        raise ActError(f"{name} is still here after xl destroy; {peer} was not told to wake its copy")
