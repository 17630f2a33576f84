"""The transport that `xl remus` runs: in, the stream on standard input; out, the same at the peer's receiver."""

import logging
import os
import socket
from pathlib import Path
from typing import Final

from failover import backup, caller, pulse
from failover.backup import Protection
from failover.relay import Broken, Relay
from failover.settings import DomainSettings, RemusSettings
from telemetry import files

_log = logging.getLogger(__name__)

_PATIENCE: Final = 2.0
"""In the heartbeat's timeouts: slower to believe than the gate, as a false alarm costs the protection."""
_STREAM: Final = "stream"


def run(settings: RemusSettings, domain: DomainSettings) -> int:
    """Relay until xl or the receiver ends; 1 where it was the receiver, and xl resumes the guest unprotected.

    xl's end is looked for, because its helper would keep the stream open. Raises Unreachable or Refused; ActError where
    an older copy might still take over, as it must not once there is a newer one.
    """
    parent = os.pidfd_open(os.getppid())
    backup.insist_on_none(settings, domain.name)
    session, answer = caller.call(settings, domain, "receive")
    peer, most_s = settings.peer_of(domain).name, _PATIENCE * settings.heartbeat.timeout_s

    def is_lost() -> bool:
        silence_s = pulse.silence_s(settings.host.run_dir, peer)
        return silence_s is not None and silence_s >= most_s

    _tell_pacer(settings.host.run_dir / domain.name / _STREAM, session.connection)
    protection = Protection(settings, domain, str(answer.get("mark", "")))
    protection.begin()
    try:
        Relay(0, session.connection, 1, settings.receiver.stall_timeout_s, is_lost).run(parent)
    except Broken as error:
        _log.error("%s is no longer protected: %s", domain.name, error)
        return 1
    finally:
        protection.end()
    return 0


def _tell_pacer(path: Path, connection: socket.socket) -> None:
    """Where it sees what the peer's kernel has acknowledged (pacer/stream.h); what ssh still has nobody can tell."""
    if connection.family in {socket.AF_INET, socket.AF_INET6}:
        files.replace(path, f"{os.getpid()} {connection.fileno()}\n", durable=False)
    else:
        path.unlink(missing_ok=True)
