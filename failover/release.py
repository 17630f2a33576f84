"""The safe end of a replication: in, a domain; out, its copy given up by the peer, the guest going on here.

On a host that is shut down the guest would end with it: there it is handed over, where a lease lets the peer take it.
"""

import logging
import subprocess
import time
from typing import Final

from failover import backup, caller, events, hand_over, primary, processes, pulse, xl
from failover.caller import Refused, Unreachable
from failover.errors import FailoverError
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_NOT_ASKED: Final = 4
"""Exit code: the replication has ended, but the peer could not be asked."""


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """The peer first, so that the stream's end means nothing to it; with a lease the record, and the peer may be dead.

    Raises ActError.
    """
    name, peer = domain.name, settings.peer_of(domain).name
    began_s = time.monotonic()
    if settings.lease is not None and _is_shut_down() and _is_handed_over(settings, domain):
        return 0
    with primary.alone(settings, domain):
        if settings.lease is not None and name not in xl.domains():
            raise ActError(
                f"{name} is not here any more, so its guard here says nothing of a copy: see hefery-remus status on "
                "both hosts"
            )
        backup.insist_on_none(settings, name)
        refusal = _ask(settings, domain)
        if isinstance(refusal, Unreachable):
            _end_alone(settings, domain, refusal)
        primary.await_end(name)
        state = primary.set_going(name)
    if state == "absent":
        raise ActError(
            f"{name} is not here any more, and {peer} has no copy of it: see hefery-remus status on both hosts"
        )
    is_asked = not isinstance(refusal, Unreachable)
    primary.tell(
        {
            "act": "release",
            "domain": name,
            "host": settings.host.name,
            "peer": peer,
            "peer_answered": str(refusal) if isinstance(refusal, Unreachable) else refusal,
            "state": state,
            "seconds": round(time.monotonic() - began_s, 3),
        }
    )
    events.tell("released", name, f"it runs here alone; {peer} {'gave its copy up' if is_asked else 'WAS NOT ASKED'}")
    return 0 if is_asked or settings.lease is not None else _NOT_ASKED


def _is_shut_down() -> bool:
    try:
        asked = subprocess.run(["systemctl", "is-system-running"], capture_output=True, text=True, check=False)
    except OSError as error:
        _log.warning("whether this host is being shut down nobody tells: %s", error)
        return False
    return asked.stdout.strip() == "stopping"


def _is_handed_over(settings: RemusSettings, domain: DomainSettings) -> bool:
    try:
        hand_over.run(settings, domain)
    except FailoverError as error:
        _log.warning("%s ends with this host: %s", domain.name, error)
        return False
    return True


def _ask(settings: RemusSettings, domain: DomainSettings) -> dict[str, object] | Unreachable:
    """What the peer has given up; raises ActError where it runs the domain itself, or cannot give its copy up."""
    try:
        session, answer = caller.call(settings, domain, "release")
    except Unreachable as error:
        return error
    except Refused as error:
        raise ActError(f"{error}; see what runs where with hefery-remus status on both hosts") from error
    session.connection.close()
    return dict(answer)


def _end_alone(settings: RemusSettings, domain: DomainSettings, why: Unreachable) -> None:
    """The peer says nothing: end the sender, and xl resumes the guest; only where its whole host is silent.

    Or where the record says that no copy may take over.
    """
    name, peer = domain.name, settings.peer_of(domain).name
    if settings.lease is not None:
        _log.warning("%s: %s could not be asked to give its copy up, which can never be the guest: %s", name, peer, why)
        processes.kill(processes.sender_of(name))
        return
    known = pulse.read(pulse.path(settings.host.run_dir, peer))
    silent_s = None if known is None else (time.monotonic_ns() - known.alive_ns) / NS_PER_S
    if silent_s is None or silent_s < settings.heartbeat.timeout_s:
        raise ActError(f"{why}. It lives, so its copy may be woken: start hefery-receiver.socket there and try again")
    processes.kill(processes.sender_of(name))
    _log.critical(
        "%s: %s could not be asked to give its copy up: if it does not hear this host's heartbeat, IT MAY WAKE ITS "
        "COPY. Before it is connected again, see that the domain does not run there",
        name,
        peer,
    )
