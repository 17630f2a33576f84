"""Word of a new file: in, a folder; out, a descriptor that is ready once one was put there whole, by rename.

inotify(7), which Python does not have.
"""

import ctypes
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_MOVED_TO: Final = 0x80  # IN_MOVED_TO of sys/inotify.h; its flags for a descriptor are those of open(2)
_MOST_BYTES: Final = 1 << 14


class Bell:
    """Rings at first, too; and always where the kernel has no more watches, so that who hears it looks all the same."""

    def __init__(self, folder: Path) -> None:
        self.descriptors, self._is_new = _watching(folder), True

    def has_rung(self) -> bool:
        """Since it was last asked."""
        has_rung, self._is_new = self._is_new or not self.descriptors, False
        for descriptor in self.descriptors:
            with suppress(BlockingIOError):
                while os.read(descriptor, _MOST_BYTES):
                    has_rung = True
        return has_rung

    def ring(self) -> None:
        """Have it rung when it is asked next."""
        self._is_new = True


def _watching(folder: Path) -> tuple[int, ...]:
    kernel = ctypes.CDLL(None, use_errno=True)
    descriptor = kernel.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor >= 0 and kernel.inotify_add_watch(descriptor, os.fsencode(folder), _MOVED_TO) >= 0:
        return (descriptor,)
    _log.warning("%s is not watched: %s", folder, os.strerror(ctypes.get_errno()))
    if descriptor >= 0:
        os.close(descriptor)
    return ()
