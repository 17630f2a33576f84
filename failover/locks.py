"""One at a time: in, a path; out, a lock that ends with the process, however that ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from failover.errors import FailoverError

_PERIOD_S: Final = 0.05


class Locked(FailoverError):
    """Another process holds the lock."""


@contextmanager
def held(path: Path, limit_s: float = 0.0) -> Iterator[None]:
    """Hold the lock; raises Locked where another process still does after `limit_s`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline_s = time.monotonic() + limit_s
    try:
        while not _taken(descriptor):
            if time.monotonic() >= deadline_s:
                raise Locked(f"{path} is held by another process")
            time.sleep(_PERIOD_S)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
