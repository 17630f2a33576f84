"""A call from the other host: in, a connection; out, what it asks for: a copy received, given up or woken, or news.

One process serves one connection, so that one domain's trouble is not another's.
"""

import argparse
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from failover import copies, draining, events, giving_up, locks, presence, processes, refusing, taking, tcp, xl
from failover.control import Control
from failover.copies import Record
from failover.errors import FailoverError
from failover.gate import Gate, HeartbeatGate, Verdict
from failover.incoming import Incoming
from failover.settings import DomainSettings, RemusSettings
from failover.wire import Message, Session, read_key
from telemetry.units import NS_PER_MS

_log = logging.getLogger(__name__)

_CALL_LIMIT_S: Final = 10.0
_ANSWER_LIMIT_S: Final = 5.0
_MARK_BYTES: Final = 8
_CALM_S: Final = 5.0
"""The devices of a guest that was just woken are being connected: whatever is started now is in its way."""


class NotHere(FailoverError):
    """What is asked for cannot be done here; the text says why."""


def run(settings: RemusSettings, _: argparse.Namespace) -> int:
    """Answer the one call on standard input; 0 where it was served. Raises WireError where nobody hears an answer."""
    connection = socket.socket(fileno=0)
    session = Session(connection, read_key(settings.heartbeat.key_file), is_caller=False)
    tcp.watch(connection, settings.receiver.stall_timeout_s)
    session.greet()
    call = session.hear_call(_CALL_LIMIT_S)
    try:
        domain = _domain_of(settings, call)
        verb = _VERBS.get(str(call.get("verb")), _unknown)
        return verb(settings, domain, session)
    except FailoverError as error:
        reason = str(error)
    _log.warning("refused: %s", reason)
    session.tell({"ok": False, "error": reason})
    return 1


def _domain_of(settings: RemusSettings, call: Message) -> DomainSettings:
    name, host = str(call.get("domain")), str(call.get("host"))
    for domain in settings.domains:
        if domain.name == name and host in domain.peers and host != settings.host.name:
            return domain
    raise NotHere(f"{name} of {host} is not configured on {settings.host.name}: remus.toml must have it on both hosts")


def _receive(settings: RemusSettings, domain: DomainSettings, session: Session) -> int:
    run_dir = settings.host.run_dir
    refusing.check(run_dir, settings.host.name)
    with locks.held(giving_up.lock_path(run_dir, domain.name)):
        giving_up.clear(run_dir, domain.name)
        if settings.lease is not None:
            draining.check(domain.name)
        me = processes.this_process()
        host = settings.peer_of(domain).name
        mark = os.urandom(_MARK_BYTES).hex()
        record = Record(domain.name, host, mark, me.pid, me.started, "receiving")
        copies.write(run_dir, record)
        try:
            return _receive_copy(settings, domain, record, session)
        except BaseException:
            copies.undo(run_dir, domain.name)  # it spares what was decided on
            raise


def _receive_copy(settings: RemusSettings, domain: DomainSettings, record: Record, session: Session) -> int:
    gate = _gate(settings, domain, record.mark)
    ours, theirs = socket.socketpair()
    child = xl.migrate_receive(theirs, ours, record.mark)
    theirs.close()
    incoming = Incoming(settings.host.run_dir, record, gate, session.connection, ours)
    session.tell({"ok": True, "mark": record.mark})
    events.tell("receiving", record.domain, f"a copy comes from {record.host}")
    decision = incoming.run(child)
    if decision.verdict is Verdict.TAKE_OVER:
        began_ns = time.monotonic_ns()
        code = incoming.wake(child)
        woken_ms = (time.monotonic_ns() - began_ns) // NS_PER_MS
        return _woken(incoming, f"{decision.reason}, xl {woken_ms} ms", code)
    with suppress(OSError):  # at once, as the guest may wait for it on the other side
        session.connection.shutdown(socket.SHUT_RDWR)
    undone = copies.undo(settings.host.run_dir, record.domain)
    child.wait()
    text = f"the copy of {record.host} was given up, nothing was woken: {decision.reason}"
    incoming.orders.answer({"ok": False, "error": text})
    events.tell("given_up", record.domain, f"{text} (destroyed: {undone.was_destroyed})")
    return 0


def _gate(settings: RemusSettings, domain: DomainSettings, mark: str) -> Gate:
    if settings.lease is None:
        return HeartbeatGate(settings.heartbeat.timeout_s)
    from failover.claiming import Claiming  # noqa: PLC0415 - to import what speaks to etcd takes an emulated host seconds

    return Claiming(settings, settings.lease, domain, mark)


def _woken(incoming: Incoming, reason: str, code: int | None) -> int:
    """Tell whether the domain runs: who ordered it at once, everybody when it has had this host's CPU for a while."""
    name, now_ns = incoming.record.domain, time.time_ns()
    if code == 0:
        incoming.mark("running")
    problem = {} if code == 0 else {"error": f"its copy was not woken: xl migrate-receive, exit code {code}"}
    incoming.orders.answer({"ok": code == 0, "running": code == 0, **problem})
    if code == 0:
        time.sleep(_CALM_S)
    there = xl.domains()
    if code == 0 and name in there:
        events.tell("takeover", name, f"{name} runs here now: {reason}", now_ns)
        return 0
    state = there[name].state if name in there else "absent"
    _log.critical("%s: taking over FAILED: xl's exit code %s, state %s; look at xl list", name, code, state)
    return 1


def _release(settings: RemusSettings, domain: DomainSettings, session: Session) -> int:
    """Give the copy up, so that the primary may end its stream."""
    given_up = giving_up.give_up(settings.host.run_dir, domain.name)
    session.tell({"ok": True, **asdict(given_up)})
    if given_up.had_copy:
        events.tell("released", domain.name, "its copy was given up as its primary asked")
    return 0


def _unknown(settings: RemusSettings, domain: DomainSettings, _: Session) -> int:
    raise NotHere(f"{settings.host.name} does not know what is wanted of {domain.name}: update Hefery on both hosts")


def _status(settings: RemusSettings, domain: DomainSettings, session: Session) -> int:
    session.tell(Control(settings.host.run_dir, domain.name).ask("status", _ANSWER_LIMIT_S))
    return 0


_VERBS: Final[Mapping[str, Callable[[RemusSettings, DomainSettings, Session], int]]] = {
    "receive": _receive,
    "release": _release,
    "take-over": taking.serve,
    "status": _status,
    "look": presence.tell,
}
