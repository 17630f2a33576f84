"""xenstore's own protocol: in, a path; out, the node's value, or its children's names.

Messages are a header and a payload (xen/include/public/io/xs_wire.h). To run xenstore-ls instead costs a process, and a
message for every node there is.
"""

import os
import socket
import struct
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct("<IIII")  # kind, request, transaction, length of the payload
_DIRECTORY, _READ, _ERROR = 1, 2, 16
_ABSENT: Final = b"ENOENT\0"
_LIMIT_S: Final = 5.0


class XenstoreFailed(Exception):
    """xenstore cannot be read; the text says why."""


class Xenstore:
    """A connection to the daemon; not to be shared by threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Connect, by default as libxenstore does (XENSTORED_PATH, xs.h); raises XenstoreFailed."""
        self._path = path or Path(os.environ.get("XENSTORED_PATH", "/run/xenstored/socket"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_LIMIT_S)
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self._socket.close()
            raise XenstoreFailed(f"{self._path}: {error}; does xenstored run, and is this root?") from error

    def read(self, path: str) -> str | None:
        """The node's value; None where there is no such node. Raises XenstoreFailed."""
        value = self._ask(_READ, path)
        return None if value is None else value.decode(errors="backslashreplace")

    def names(self, path: str) -> list[str]:
        """The names of the node's children; none where there is no such node. Raises XenstoreFailed."""
        return [name.decode() for name in (self._ask(_DIRECTORY, path) or b"").split(b"\0") if name]

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _ask(self, kind: int, path: str) -> bytes | None:
        payload = path.encode() + b"\0"
        try:
            self._socket.sendall(_HEADER.pack(kind, 0, 0, len(payload)) + payload)
            answered, _, _, length = _HEADER.unpack(self._receive(_HEADER.size))
            answer = self._receive(length)
        except OSError as error:
            raise XenstoreFailed(f"{self._path}: {error}") from error
        if answered == _ERROR and answer == _ABSENT:
            return None
        if answered != kind:
            raise XenstoreFailed(f"{self._path}: {path}: {answer.decode(errors='backslashreplace').rstrip(chr(0))}")
        return answer

    def _receive(self, length: int) -> bytes:
        got = b""
        while len(got) < length:
            more = self._socket.recv(length - len(got))
            if not more:
                raise ConnectionError("xenstored has closed the connection")
            got += more
        return got
