"""A datagram socket in the file system: in, a path; out, what is sent to it, read without waiting."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_MOST_AT_ONCE = 1_000  # a flood must not keep its reader for ever


class Inbox:
    """A bound AF_UNIX datagram socket that only this user (and root) may send to; whoever sends must not wait."""

    def __init__(self, path: Path) -> None:
        """Listen at `path`, in place of a stale socket if there is one; raises OSError."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        fresh = path.with_suffix(".new")
        try:
            fresh.unlink(missing_ok=True)
            self._socket.bind(str(fresh))
            fresh.chmod(0o600)
            self._inode = fresh.stat().st_ino
            fresh.rename(path)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_in_place(self) -> bool:
        """Whether senders find it: its directory may have been removed and made again."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def read(self, longest: int) -> Iterator[bytes]:
        """The datagrams that have come, each cut to `longest` bytes."""
        for _ in range(_MOST_AT_ONCE):
            try:
                yield self._socket.recv(longest)
            except BlockingIOError:
                return

    def close(self) -> None:
        """Stop listening and remove the socket, if it still is this one."""
        if self.is_in_place():
            self._path.unlink(missing_ok=True)
        self._socket.close()
