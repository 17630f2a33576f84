"""Waits for a condition, or for a process to stand still, instead of a time: out, nothing, or a failed test."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def wait_for(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"it did not come true in {limit_s:g} s"
        time.sleep(0.01)


def freeze(pid: int) -> None:
    """Send SIGSTOP and wait until no thread runs any more: one that runs on another CPU may still answer a question."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(_state(thread) == "T" for thread in Path(f"/proc/{pid}/task").iterdir()))


def _state(thread: Path) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since it was listed
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    return ""
