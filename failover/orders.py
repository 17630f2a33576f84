"""Orders to a receiver, at its own end: in, clients of its control socket; out, what has been announced and ordered.

The primary announces that it is about to destroy its own copy, and orders the takeover when it has. An announcement
stands while who made it does, outlives him for a while, and for good where the stream ends meanwhile: he may have died
at his work, and the one copy that is left must not be given up. With a lease nobody orders, and an operator announces.
"""

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from failover import control
from failover.control import Answer

_FORGET_S: Final = 10.0


class Orders:
    """Any number of clients; `descriptors` are to be polled, and what is ready given to `serve`."""

    def __init__(self, run_dir: Path, domain: str) -> None:
        """Raises OSError."""
        self._listener = control.listen(run_dir, domain)
        self._clients: dict[int, socket.socket] = {}
        self._announcers: set[socket.socket] = set()
        self._forget_s: float | None = None
        self._orderer: socket.socket | None = None

    @property
    def descriptors(self) -> list[int]:
        """The socket and its clients."""
        return [self._listener.fileno(), *self._clients]

    @property
    def is_ordered(self) -> bool:
        """Whether the takeover was ordered."""
        return self._orderer is not None

    def is_announced(self, *, has_ended: bool) -> bool:
        """Whether the primary may have destroyed its copy; `has_ended` tells of the stream."""
        is_over = self._forget_s is not None and time.monotonic() >= self._forget_s
        if is_over and not has_ended:
            self._forget_s = None
        return bool(self._announcers) or self._forget_s is not None

    def serve(self, descriptor: int, status: Callable[[], Answer], *, is_complete: bool) -> None:
        """Take a client, or his word; orders need a copy that `is_complete`."""
        if descriptor == self._listener.fileno():
            client, _ = self._listener.accept()
            self._clients[client.fileno()] = client
        elif descriptor in self._clients:
            self._obey(self._clients[descriptor], status, is_complete=is_complete)

    def close(self) -> None:
        """Hear nobody any more."""
        for end in (self._listener, *self._clients.values()):
            end.close()

    def answer(self, message: Mapping[str, object]) -> None:
        """Tell who has ordered the takeover how it went, and who has announced it: his order is not read any more."""
        for client in self._announcers | ({self._orderer} if self._orderer else set()):
            control.answer(client, message)

    def _obey(self, client: socket.socket, status: Callable[[], Answer], *, is_complete: bool) -> None:
        match control.hear(client):
            case "status":
                control.answer(client, status())
            case "prepare" if is_complete:
                self._announcers.add(client)
                self._forget_s = None
                control.answer(client, status())
            case "take-over" if is_complete:
                self._orderer = client
            case "":
                self._hang_up(client)
            case word:
                control.answer(client, {"ok": False, "error": f"{word}: the first full copy has not arrived"})

    def _hang_up(self, client: socket.socket) -> None:
        del self._clients[client.fileno()]
        client.close()
        if client in self._announcers:
            self._announcers.remove(client)
            self._forget_s = time.monotonic() + _FORGET_S
