"""Asking a peer's kernel for a sign of life: in, an address; out, whether anything there answers.

A silent daemon is no dead host. The kernel refuses a TCP connection to the heartbeat's port at once, where nobody
listens, whatever has become of its processes. Where the answer takes long, as between overloaded hosts, it is waited
for, while others are asked for.
"""

import errno
import select
import socket
from typing import Final

_AT_ONCE: Final = 8
_ANSWERS: Final = frozenset({0, errno.ECONNREFUSED})


class Knocks:
    """The latest knocks at one address."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._waiting: list[socket.socket] = []

    def knock(self) -> bool:
        """Knock once more, and whether that was answered at once; the oldest of many is given up."""
        knocking = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        error = knocking.connect_ex(self._address)
        if error != errno.EINPROGRESS:
            knocking.close()
            return error in _ANSWERS
        self._waiting.append(knocking)
        for old in self._waiting[:-_AT_ONCE]:
            self._give_up(old)
        return False

    def answered(self) -> bool:
        """Whether any knock has been answered since the last call; then all are given up."""
        looking = select.poll()
        by_number = {knocking.fileno(): knocking for knocking in self._waiting}
        for number in by_number:
            looking.register(number, select.POLLOUT)
        ended = [by_number[number] for number, _ in looking.poll(0)]
        if any(knocking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in _ANSWERS for knocking in ended):
            self.stop()
            return True
        for knocking in ended:
            self._give_up(knocking)
        return False

    @property
    def is_waiting(self) -> bool:
        """Whether an answer may still come."""
        return bool(self._waiting)

    def stop(self) -> None:
        """Give all of them up."""
        for knocking in self._waiting[:]:
            self._give_up(knocking)

    def _give_up(self, knocking: socket.socket) -> None:
        self._waiting.remove(knocking)
        knocking.close()
