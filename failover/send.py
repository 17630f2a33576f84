"""The transport that `xl remus` runs: in, the stream on standard input; out, the same at the peer's receiver."""

import logging
import os
import socket
from contextlib import suppress

from failover import caller
from failover.relay import Broken, Relay
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)


def send(settings: RemusSettings, domain: DomainSettings) -> int:
    """Relay until xl or the receiver ends; 1 where it was the receiver, and xl resumes the guest unprotected.

    xl's end is looked for, because its helper would keep the stream open. Raises Unreachable or Refused.
    """
    parent = os.pidfd_open(os.getppid())
    session, _ = caller.call(settings, domain, "receive")
    try:
        Relay(0, session.connection, 1, settings.receiver.stall_timeout_s).run(parent)
    except Broken as error:
        _log.error("%s is no longer protected: %s", domain.name, error)
        return 1
    return 0


def connect(settings: RemusSettings) -> int:
    """The peer's side of ssh: standard input and output are the unix socket of the receiver here."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(settings.receiver.socket))
        with suppress(Broken):
            Relay(0, connection, 1, settings.receiver.stall_timeout_s).run()
    return 0
