"""What happened, for the store: in, a kind and words; out, an event on its way, which nobody waits for."""

import logging
import os
import time

_log = logging.getLogger(__name__)


def tell(kind: str, domain: str, text: str, time_ns: int | None = None) -> None:
    """Log it and have the agent's spool take it, from a process of its own: protection comes first.

    `time_ns` is when it happened (UTC), now if None.
    """
    _log.warning("%s: %s: %s", domain, kind, text)
    when = str(time.time_ns() if time_ns is None else time_ns)
    command = ("hefery-agent", "event", kind, "--domain", domain, "--text", text, "--time", when)
    try:
        os.posix_spawnp(command[0], command, os.environ, setsid=True)
    except OSError as error:
        _log.warning("the event is in no store: hefery-agent: %s", error.strerror)
