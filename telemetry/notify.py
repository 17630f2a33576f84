"""Tells systemd how the service does: in, its state; out, datagrams to NOTIFY_SOCKET, as in sd_notify(3)."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

_US_PER_S = 1_000_000
_SIGNS_OF_LIFE = 4
"""In the time within which one is wanted: each wakes the manager, too."""
_HEARD_LIMIT_S = 2.0
"""What is lost here has the manager end a service that goes on."""


class Notifier:
    """Sends states to the service manager, to nobody where none listens; it never raises."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{path[1:]}" if path.startswith("@") else path  # @ stands for an abstract socket
        self.watchdog_s = _watchdog_s(environment)
        """Time within which the manager wants a sign of life; None for no matter when."""
        self._next_s = 0.0

    def ready(self) -> None:
        """The service is up."""
        self._send("READY=1")

    def alive(self) -> None:
        """The service is well; to be called as often as it is looked at."""
        if (now_s := time.monotonic()) >= self._next_s:
            self._next_s = now_s + (self.watchdog_s or 0.0) / _SIGNS_OF_LIFE
            self._send("WATCHDOG=1")

    def main_is(self, pid: int) -> None:
        """Another process of the service is its main one from now on: this one may end, once that was heard."""
        self._send(f"MAINPID={pid}", limit_s=_HEARD_LIMIT_S)

    def stopping(self) -> None:
        """The service is going down."""
        self._send("STOPPING=1")

    def _send(self, state: str, limit_s: float = 0.0) -> None:
        """Waits no longer than that for a manager that has not read what came before."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(limit_s)
            sender.sendto(state.encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """WATCHDOG_USEC, if it is meant for this process: sd_watchdog_enabled(3)."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / _US_PER_S if text.isdecimal() and int(text) else None
