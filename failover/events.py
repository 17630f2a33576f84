"""What happened, for the store: in, a kind and words; out, an event on its way, which nobody waits for."""

import logging
import os
import time
from typing import Final

from failover import clock
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

_OUTLIVING: Final = ("systemd-run", "--quiet", "--collect", "--no-block", "--")
"""systemd ends what a unit leaves behind, and with a unit's end it is the event that is left."""
_SELDOM_NS: Final = 60 * NS_PER_S


class Seldom:
    """Tells of what may come again and again: of each kind at once, then the newest, once a minute.

    Each event is a process that takes a slow host's CPU for seconds, and a host that is too busy is what pauses guests.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._next_ns: dict[str, int] = {}
        self._kept: dict[str, tuple[str, int]] = {}
        self._children: list[int] = []

    def tell(self, kind: str, text: str) -> None:
        """Log it, and tell of it now, or later."""
        text = _printable(text)
        _log.warning("%s: %s: %s", self._domain, kind, text)
        self._kept[kind] = text, time.time_ns()
        self.catch_up()

    def catch_up(self) -> None:
        """Tell what is due by now, and bury who has told; to be called again and again."""
        self._children = [pid for pid in self._children if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        now_ns = clock.now_ns()
        for kind in [kind for kind in self._kept if self._next_ns.get(kind, now_ns) <= now_ns]:
            self._next_ns[kind] = now_ns + _SELDOM_NS
            self._spool(kind)

    def tell_all(self) -> None:
        """Tell what is kept, due or not: there is no later."""
        for kind in list(self._kept):
            self._spool(kind)

    def _spool(self, kind: str) -> None:
        text, time_ns = self._kept.pop(kind)
        if pid := _spool(kind, self._domain, text, time_ns):
            self._children.append(pid)


def tell(kind: str, domain: str, text: str, time_ns: int | None = None) -> None:
    """Log it and have the agent's spool take it, from a process of its own: protection comes first.

    `time_ns` is when it happened (UTC), now if None.
    """
    text = _printable(text)
    _log.warning("%s: %s: %s", domain, kind, text)
    _spool(kind, domain, text, time.time_ns() if time_ns is None else time_ns)


def _printable(text: str) -> str:
    """Others may have worded it, and not all can be a word of a command (execve(2))."""
    return "".join(character if character.isprintable() else " " for character in text)


def _spool(kind: str, domain: str, text: str, time_ns: int) -> int:
    """The number of the process that does it; 0 where there is none."""
    command: tuple[str, ...] = ("hefery-agent", "event", kind, "--domain", domain, "--text", text)
    command = (*command, "--time", str(time_ns))
    if "INVOCATION_ID" in os.environ:  # set by systemd for what belongs to a unit (systemd.exec(5))
        command = (*_OUTLIVING, *command)
    # a guard's real time and its place to notify are not for its children
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    at_leisure = (os.SCHED_OTHER, os.sched_param(0))
    try:
        return os.posix_spawnp(command[0], command, environment, setsid=True, scheduler=at_leisure)
    except OSError as error:
        _log.warning("the event is in no store: %s: %s", command[0], error.strerror)
        return 0
