"""A wait for a condition instead of a time: in, what is to come true; out, nothing, or a failed test."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"it did not come true in {limit_s:g} s"
        time.sleep(0.01)
