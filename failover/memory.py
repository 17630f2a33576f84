"""What must not wait for a disk: in, this process; out, all its memory, now and later, held in RAM."""

import ctypes
import logging
import os
from typing import Final

_log = logging.getLogger(__name__)

_MCL_CURRENT, _MCL_FUTURE = 1, 2  # mlockall(2)
_ALL: Final = _MCL_CURRENT | _MCL_FUTURE


def lock() -> None:
    """Hold it, or say that a guest may be paused late: systemd has no word for it."""
    if ctypes.CDLL(None, use_errno=True).mlockall(_ALL):
        _log.warning("memory is not locked, so that pausing may come late: %s", os.strerror(ctypes.get_errno()))
