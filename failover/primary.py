"""Acts on the host where a domain runs: in, its name; out, exactly one copy of it, and the evidence."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from failover import caller, events, libxl, locks, processes, pulse, xl
from failover.caller import Refused, Unreachable
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_ACT_LIMIT_S: Final = 180.0
_END_LIMIT_S: Final = 60.0
_ORDER_LIMIT_S: Final = 200.0
_NS_PER_S: Final = 10**9

DONE, FAILED, NOT_ASKED, LIVES_ELSEWHERE = 0, 1, 4, 5
"""Exit codes: the peer could not be asked; the domain lives on the peer."""

Evidence = dict[str, object]


class ActError(Exception):
    """The act cannot be done, or not finished; the text says where things stand, and the remedy."""


def release(settings: RemusSettings, domain: DomainSettings) -> tuple[int, Evidence]:
    """End a replication: the peer gives its copy up first, so that the stream's end means nothing to it."""
    peer = settings.peer_of(domain).name
    began_s = time.monotonic()
    evidence: Evidence = {"act": "release", "domain": domain.name, "host": settings.host.name, "peer": peer}
    with locks.held(_lock_path(settings, domain), _ACT_LIMIT_S):
        code = DONE
        try:
            session, answer = caller.call(settings, domain, "release")
            session.connection.close()
            evidence["peer_answered"] = dict(answer)
        except Refused as error:
            raise ActError(f"{error}; see what runs where with hefery-remus status on both hosts") from error
        except Unreachable as error:
            code = NOT_ASKED
            evidence["peer_answered"] = str(error)
            _end_alone(settings, domain, error)
        _await_end(domain.name)
        evidence |= {"state": _set_going(domain.name), "seconds": round(time.monotonic() - began_s, 3)}
    if code == DONE:
        events.tell("released", domain.name, f"replication to {peer} ended, it runs here alone")
    return code, evidence


def hand_over(settings: RemusSettings, domain: DomainSettings) -> tuple[int, Evidence]:
    """The planned failover: this host's copy is destroyed, then the peer wakes its own."""
    name, peer = domain.name, settings.peer_of(domain).name
    began_s = time.monotonic()
    steps: dict[str, float] = {}

    def step(what: str) -> None:
        steps[what] = round(time.monotonic() - began_s, 3)

    with locks.held(_lock_path(settings, domain), _ACT_LIMIT_S):
        session, prepared = caller.call(settings, domain, "take-over")
        step("prepared")
        _check_alive(prepared, name, peer)
        left = processes.kill([*processes.remus_of(name), *processes.helpers_of(name)])
        if left:
            raise ActError(
                f"processes {[process.pid for process in left]} do not end by SIGKILL; nothing was destroyed"
            )
        step("replication_killed")
        if name in xl.domains():
            xl.destroy(name)
        if name in xl.domains():
            raise ActError(f"{name} is still here after xl destroy, {peer} was not told to wake its copy")
        step("destroyed")
        session.tell({"destroyed": True})
        answer = caller.accepted(session.hear(_ORDER_LIMIT_S), peer)
        step("taken_over")
    events.tell("handed_over", name, f"destroyed here, runs on {peer}")
    return DONE, {
        "act": "hand-over",
        "domain": name,
        "from": settings.host.name,
        "to": peer,
        "prepared": dict(prepared),
        "steps_s": steps,
        "guest_stood_still_s": round(steps["taken_over"] - steps["prepared"], 3),
        "peer_answered": dict(answer),
    }


def settle(settings: RemusSettings, domain: DomainSettings) -> tuple[int, Evidence]:
    """After `xl remus` has ended in whatever way: nothing of it is left, and the guest does not stand still."""
    name = domain.name
    with locks.held(_lock_path(settings, domain), _ACT_LIMIT_S):
        if processes.remus_of(name):
            raise ActError(f"{name} is still replicated from here: hefery-remus release --domain {name} ends that")
        processes.kill([*processes.helpers_of(name), *processes.sender_of(name)])
        state = _set_going(name)
    return DONE, {"act": "settle", "domain": name, "host": settings.host.name, "state": state}


def _check_alive(prepared: Mapping[str, object], name: str, peer: str) -> None:
    """A stream that has ended goes on only where an earlier hand-over ended it."""
    if prepared.get("stream_ended") and name in xl.domains():
        raise ActError(f"the stream of {name} to {peer} has ended, its copy there is old: replicate it again first")


def _end_alone(settings: RemusSettings, domain: DomainSettings, why: Unreachable) -> None:
    """The peer says nothing: end the sender, and xl resumes the guest; only where its whole host is silent."""
    name, peer = domain.name, settings.peer_of(domain).name
    known = pulse.read(pulse.path(settings.host.run_dir, peer))
    silent_s = None if known is None else (time.monotonic_ns() - known.alive_ns) / _NS_PER_S
    if silent_s is None or silent_s < settings.heartbeat.timeout_s:
        raise ActError(
            f"{why}. {peer} is alive, so its copy may be woken: start hefery-receiver.socket there and try again"
        ) from why
    processes.kill(processes.sender_of(name))
    _log.critical(
        "%s: %s could not be asked to give its copy up: if it does not hear this host's heartbeat, IT MAY WAKE ITS "
        "COPY. Before it is connected again, see that the domain does not run there",
        name,
        peer,
    )


def _await_end(name: str) -> None:
    if not processes.wait_until(lambda: not processes.remus_of(name), _END_LIMIT_S):
        raise ActError(f"xl remus of {name} does not end; the guest may stand still: look at xl list and the journal")


def _set_going(name: str) -> str:
    """Its state, after it was resumed where xl has left it suspended."""
    domain = xl.domains().get(name)
    if domain is not None and domain.is_suspended:
        _log.warning("%s was left suspended by a checkpoint: it is resumed", name)
        libxl.resume(domain.number)
        domain = xl.domains().get(name)
    return "absent" if domain is None else domain.state


def _lock_path(settings: RemusSettings, domain: DomainSettings) -> Path:
    return settings.host.run_dir / "acts" / domain.name
