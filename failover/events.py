"""What happened, for the store: in, a kind and words; out, an event on its way, which nobody waits for."""

import logging
import os
import time
from typing import Final

_log = logging.getLogger(__name__)

_OUTLIVING: Final = ("systemd-run", "--quiet", "--collect", "--no-block", "--")
"""systemd ends what a unit leaves behind, and with a unit's end it is the event that is left."""


def tell(kind: str, domain: str, text: str, time_ns: int | None = None) -> None:
    """Log it and have the agent's spool take it, from a process of its own: protection comes first.

    `time_ns` is when it happened (UTC), now if None.
    """
    _log.warning("%s: %s: %s", domain, kind, text)
    when = str(time.time_ns() if time_ns is None else time_ns)
    command: tuple[str, ...] = ("hefery-agent", "event", kind, "--domain", domain, "--text", text, "--time", when)
    if "INVOCATION_ID" in os.environ:  # set by systemd for what belongs to a unit (systemd.exec(5))
        command = (*_OUTLIVING, *command)
    try:
        os.posix_spawnp(command[0], command, os.environ, setsid=True)
    except OSError as error:
        _log.warning("the event is in no store: %s: %s", command[0], error.strerror)
