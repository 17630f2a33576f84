"""Bytes between a pair of descriptors and a socket: in, both; out, the reason why it ended.

From a pipe they go by splice(2), without a copy through this process: a gigabyte costs next to no CPU.
"""

import fcntl
import os
import select
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_CHUNK: Final = 1 << 20
_LOOK_S: Final = 0.1
_END_LIMIT_S: Final = 5.0


class Broken(Exception):
    """The other side is gone, or takes nothing any more; the text says which."""


class Relay:
    """Moves `source` to the connection and the connection to `sink`; `is_lost` says whether the other side is dead."""

    def __init__(
        self,
        source: int,
        connection: socket.socket,
        sink: int,
        stall_s: float,
        is_lost: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._connection, self._sink = source, connection, sink
        self._stall_s, self._is_lost = stall_s, is_lost
        self._is_pipe = stat.S_ISFIFO(os.fstat(source).st_mode)
        self._unsent = memoryview(b"")
        if self._is_pipe:
            with suppress(PermissionError):  # beyond what users may have in pipes
                fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _CHUNK)

    def run(self, parent: int | None = None) -> None:
        """Until `source` ends, or the process `parent` (a pidfd).

        Raises Broken where the connection ends first, the other side is lost, or takes nothing for `stall_s` although
        something is to be sent.
        """
        self._connection.settimeout(0.0)
        waiting = select.poll()
        watched = [self._source, self._connection.fileno(), *([] if parent is None else [parent])]
        for descriptor in watched:
            waiting.register(descriptor, select.POLLIN)
        while self._step({descriptor for descriptor, _ in waiting.poll(_LOOK_S * 1000)}, parent):
            self._look()
        self._finish()

    def _look(self) -> None:
        """A dead host ends no connection, and takes what is sent for as long as there is room in buffers."""
        if self._is_lost():
            raise Broken("the other side is silent")

    def _step(self, ready: set[int], parent: int | None) -> bool:
        """Move what there is to be moved; False where nothing more will come."""
        if self._connection.fileno() in ready and not self._back():
            raise Broken("the other side has ended the connection")
        return self._forth() if self._source in ready else parent not in ready

    def _forth(self) -> bool:
        """Send what waits in `source`, in part or whole; False at its end."""
        deadline_s = time.monotonic() + self._stall_s
        while True:
            try:
                return self._move() > 0
            except BlockingIOError:
                self._await_room(deadline_s)
            except OSError as error:
                raise Broken(f"the connection is broken: {error.strerror}") from error

    def _move(self) -> int:
        if self._is_pipe:
            flags = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
            return os.splice(self._source, self._connection.fileno(), _CHUNK, flags=flags)
        if not self._unsent:
            self._unsent = memoryview(os.read(self._source, _CHUNK))
        if not self._unsent:
            return 0
        sent = self._connection.send(self._unsent)
        self._unsent = self._unsent[sent:]
        return sent

    def _await_room(self, deadline_s: float) -> None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise Broken(f"the other side has taken nothing for {self._stall_s:g} s")
        waiting = select.poll()
        waiting.register(self._connection, select.POLLOUT)
        waiting.poll(min(left_s, _LOOK_S) * 1000)
        self._look()

    def _back(self) -> bool:
        """Pass on what the other side says; False where it has ended."""
        try:
            left = memoryview(self._connection.recv(_CHUNK))
        except BlockingIOError:
            return True
        except OSError as error:
            raise Broken(f"the connection is broken: {error.strerror}") from error
        is_open = bool(left)
        while left:
            left = left[os.write(self._sink, left) :]
        return is_open

    def _finish(self) -> None:
        """Send the rest, then let the other side finish: so that nothing that was sent is lost in a reset."""
        while self._unsent:
            self._forth()
        with suppress(Broken, OSError):
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(_END_LIMIT_S)
            while self._back():
                pass
