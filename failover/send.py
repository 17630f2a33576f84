"""The transport that `xl remus` runs: in, the stream on standard input; out, the same at the peer's receiver."""

import logging
import os

from failover import caller
from failover.relay import Broken, Relay
from failover.settings import DomainSettings, RemusSettings

_log = logging.getLogger(__name__)


def run(settings: RemusSettings, domain: DomainSettings) -> int:
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
