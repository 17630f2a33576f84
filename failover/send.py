"""The transport that `xl remus` runs: in, the stream on standard input; out, the same at the peer's receiver."""

import logging
import os
from typing import Final

from failover import backup, caller, pulse
from failover.backup import Protection
from failover.relay import Broken, Relay
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)

_PATIENCE: Final = 2.0
"""In the heartbeat's timeouts: slower to believe than the gate, as a false alarm costs the protection."""


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
