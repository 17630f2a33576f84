"""One call at a time: in, a lock's file; out, a lock that lasts until this process and its children have ended."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fence.errors import Failed

_LOOK_AGAIN_S: Final = 0.02


@contextmanager
def locked(path: Path, limit_s: float) -> Iterator[int]:
    """Yields the descriptor, for children to inherit: one that outlives a killed call keeps the next one out.

    Raises Failed where another call has it for all of `limit_s`.
    """
    deadline_s = time.monotonic() + limit_s
    with path.open("a", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline_s:
                    raise Failed(f"another call is not over after {limit_s:g} s ({path})") from error
                time.sleep(_LOOK_AGAIN_S)
        yield file.fileno()
