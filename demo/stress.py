"""Real load from stress-ng: in, a disturbance and how far it has come; out, its processes, and their end."""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from demo.processes import Child
from demo.timeline import Disturbance, Load

MOST_MEMORY_BYTES: Final = 8 * 2**30
_FILE_BYTES: Final = 64 * 2**20
_GRACE_S: Final = 10
"""How long after its disturbance a stressor ends by itself, should nobody be left to end it."""


@dataclass(frozen=True)
class Means:
    """What this machine can spare: its CPUs, a quarter of its free memory, and a folder for disk load."""

    cpus: int
    memory_bytes: int
    folder: Path

    @classmethod
    def measure(cls, folder: Path, cgroup: Path = Path("/sys/fs/cgroup")) -> Self:
        """What there is now; a container's limit counts like the machine's memory."""
        free_bytes = min(psutil.virtual_memory().available, _left_of_limit(cgroup))
        return cls(len(os.sched_getaffinity(0)), min(free_bytes // 4, MOST_MEMORY_BYTES), folder)


def _left_of_limit(cgroup: Path) -> int:
    try:
        return int((cgroup / "memory.max").read_text()) - int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):  # no such limit: there is no file, or it says "max"
        return MOST_MEMORY_BYTES * 4


def arguments(load: Load, means: Means) -> list[str]:
    """What to ask of stress-ng (stress-ng(1))."""
    words = []
    if load.cpu:
        words += ["--cpu", str(means.cpus), "--cpu-load", f"{load.cpu:.0%}".rstrip("%")]
    if load.memory:  # fill it once, then hold it
        words += ["--vm", "1", "--vm-bytes", str(int(load.memory * means.memory_bytes)), "--vm-hang", "0"]
        words += ["--vm-method", "zero-one"]
    if load.disk:  # fsync: each write has to reach the disk, or the page cache would take them all
        words += ["--hdd", str(load.disk), "--hdd-bytes", str(_FILE_BYTES), "--hdd-opts", "fsync"]
    if load.network:
        words += ["--udp", str(load.network), "--udp-if", "lo", "--udp-port", str(_free_port())]
    return words


def _free_port() -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stress:
    """A disturbance under way."""

    def __init__(self, disturbance: Disturbance, means: Means) -> None:
        self._disturbance = disturbance
        self._means = means
        self._folder = Path(tempfile.mkdtemp(prefix="stress-", dir=means.folder))
        self._started: list[Child] = []

    def advance(self, elapsed_s: float) -> None:
        """Start the stages that are due; raises ChildFailed when one under way has ended by itself."""
        for child in self._started:
            child.check()
        for stage in self._disturbance.stages[len(self._started) :]:
            if stage.at_s <= elapsed_s:
                self._started.append(self._start(stage.load, elapsed_s))

    def _start(self, load: Load, elapsed_s: float) -> Child:
        left_s = self._disturbance.ramp_s + self._disturbance.peak_s - elapsed_s + _GRACE_S
        # --oomable: rather lose a stressor than have it start over and over
        words = ["--quiet", "--oomable", "--timeout", f"{left_s:.0f}s", "--temp-path", str(self._folder)]
        # nice: everything else on this machine, Hefery as well, goes first
        command = ["nice", "-n", "10", "stress-ng", *words, *arguments(load, self._means)]
        return Child.start(command, self._means.folder / "stress.log")

    def end(self) -> None:
        """End what was started, and remove its files."""
        for child in self._started:
            child.signal()
        for child in self._started:
            child.end()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def disturbed(disturbance: Disturbance, means: Means) -> Iterator[Stress]:
    """A disturbance that is over, with all its processes and files, however the block ends."""
    stress = Stress(disturbance, means)
    try:
        yield stress
    finally:
        stress.end()
