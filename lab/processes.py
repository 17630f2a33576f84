"""Processes that outlive a command: in, words and a pid file; out, a process known beyond doubt by pid and start."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
        return wait(lambda: not self.alive, timeout_s)


def start(words: list[str], pid_file: Path, log: Path) -> Process:
    """Start a process in a session of its own, so that Ctrl-C here does not reach it; its words go to `log`."""
    with log.open("ab") as out, Path(os.devnull).open("rb") as nothing:
        child = subprocess.Popen(words, stdin=nothing, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    started = _started(child.pid)
    if started is None:
        raise LabError(f"{words[0]} ended at once: see {log}")
    pid_file.write_text(f"{child.pid} {started}\n")
    return Process(child.pid, started)


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
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[_START_TIME]
