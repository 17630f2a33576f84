"""Progress: in, what is being done; out, lines on stderr with the seconds since the command began."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BEGAN: Final = time.monotonic()


def say(text: str) -> None:
    """One line, with the seconds since the command began."""
    sys.stderr.write(f"lab {time.monotonic() - _BEGAN:6.1f} s  {text}\n")
    sys.stderr.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what begins, and how long it took where it came to an end."""
    say(text)
    began = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - began:.1f} s")
