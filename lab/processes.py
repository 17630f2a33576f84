"""Processes that outlive a command: in, words and a pid file; out, a process known beyond doubt by pid and start."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError

_START_TIME = 19  # field 22 of /proc/PID/stat; the first two are before the closing parenthesis


@dataclass(frozen=True)
class Process:
    """A process by its pid and the tick in which it began, so that a pid used again is never taken for it."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether it runs (a zombie does not)."""
        return _started(self.pid) == self.started

    def kill(self, number: signal.Signals, timeout_s: float) -> bool:
        """Send a signal and wait for the end; False where it lives on."""
        if self.alive:
            os.kill(self.pid, number)
        ended = wait(lambda: not self.alive, timeout_s)
        with suppress(ChildProcessError):  # begun by another command: not ours to bury
            os.waitpid(self.pid, os.WNOHANG)
        return ended


def start(words: list[str], pid_file: Path, log: Path) -> Process:
    """Start a process in a session of its own, so that Ctrl-C here does not reach it; its words go to `log`."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        files: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        files += [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
        pid = os.posix_spawnp(words[0], words, os.environ, file_actions=files, setsid=True)
    finally:
        os.close(out)
    started = _started(pid)
    if started is None:
        raise LabError(f"{words[0]} ended at once: see {log}")
    pid_file.write_text(f"{pid} {started}\n")
    return Process(pid, started)


def find(pid_file: Path) -> Process | None:
    """The process of a pid file while it runs."""
    try:
        pid, started = pid_file.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    process = Process(int(pid), started)
    return process if process.alive else None


def wait(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.02) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def _started(pid: int) -> str | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    # a zombie whose other threads still end holds its files, and the locks on them
    return None if fields[0] in "ZX" and threads <= 1 else fields[_START_TIME]
