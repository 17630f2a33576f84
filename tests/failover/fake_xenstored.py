"""A stand-in for xenstored that knows one watch: in, a folder; out, a socket that tells who watches of ends."""

import socket
import struct
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct("=IIII")
_WATCH, _EVENT = 4, 15
_EVENT_TEXT: Final = b"@releaseDomain\0ends\0"


class FakeXenstored:
    """Serves one who watches; `environment` leads to it."""

    def __init__(self, folder: Path) -> None:
        path = folder / "xenstored"
        self.environment = {"XENSTORED_PATH": str(path)}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._watching: socket.socket | None = None

    def accept(self) -> bytes:
        """What is watched; as xenstored does, it is answered, and told of once at first."""
        self._watching, _ = self._listener.accept()
        kind, request, _, length = _HEAD.unpack(self._watching.recv(_HEAD.size))
        assert kind == _WATCH
        asked = self._watching.recv(length)
        self._watching.sendall(_HEAD.pack(_WATCH, request, 0, 3) + b"OK\0")
        self.tell()
        return asked

    def tell(self) -> None:
        """A domain has ended."""
        assert self._watching is not None
        self._watching.sendall(_HEAD.pack(_EVENT, 0, 0, len(_EVENT_TEXT)) + _EVENT_TEXT)

    def close(self) -> None:
        """It has ended itself."""
        self._listener.close()
        if self._watching is not None:
            self._watching.close()
