"""Word that a domain has ended: in, xenstored's socket; out, a descriptor that is ready once any has shut down or gone.

libxl waits for the same word, and then takes away a domain that has powered off: who wants to see that it halted, and
did not crash, has some ten milliseconds to look (@releaseDomain of xenstore.txt; messages as in xs_wire.h).
"""

import logging
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_SOCKET: Final = Path("/run/xenstored/socket")
_OTHER: Final = "XENSTORED_PATH"
"""The variable by which libxenstore is told of another."""
_HEAD: Final = struct.Struct("=IIII")
"""Kind, request, transaction, bytes that follow."""
_WATCH: Final = 4
_ASKED: Final = b"@releaseDomain\0ends\0"
_LIMIT_S: Final = 1.0
_MOST_BYTES: Final = 1 << 14


class Ends:
    """Without xenstored there is no descriptor: who looks at intervals then sees ends as late as that."""

    def __init__(self) -> None:
        """Never fails."""
        self.descriptors: tuple[int, ...] = ()
        path = os.environ.get(_OTHER, str(_SOCKET))
        try:
            self.descriptors = (_watching(path),)
        except OSError as error:
            _log.warning("%s: %s: a guest that powers off may be taken for one that crashed", path, error)

    def hear(self) -> None:
        """Take what was said, whatever it was: there is nothing to do but to look."""
        for descriptor in self.descriptors:
            with suppress(BlockingIOError):
                while os.read(descriptor, _MOST_BYTES):
                    pass
                _log.warning("xenstored has gone: a guest that powers off may be taken for one that crashed")
                os.close(descriptor)
                self.descriptors = ()


def _watching(path: str) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_LIMIT_S)
        connection.connect(path)
        connection.sendall(_HEAD.pack(_WATCH, 0, 0, len(_ASKED)) + _ASKED)
        connection.settimeout(0)
        return connection.detach()
