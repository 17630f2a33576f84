"""What guard and minder know of each other: in, a domain; out, a few numbers in memory that both of them see.

Each is eight bytes that are written at once. They are in a folder of /run, so that they end with the boot whose clock
they name.
"""

import mmap
import os
from enum import IntEnum
from pathlib import Path
from typing import Final

from telemetry.units import NS_PER_S

_BYTES: Final = 8
_STALE_NS: Final = NS_PER_S
"""A guard that was awake longer ago counts as dead: it looks four times a second."""


class Slot(IntEnum):
    """Where each number is; all are 0 at first. Times are those of clock.now_ns()."""

    NUMBER = 0
    """The domain's, in Xen; 0 for none."""
    DEADLINE = 1
    """From when on it must not run."""
    EPOCH = 2
    """Under which it runs; 0 for none."""
    GUARD_PAUSED = 3
    """1 where the guard has paused it, or is about to."""
    MINDER_PAUSED = 4
    """The same of the minder."""
    GUARD_TICK = 5
    """When the guard last was awake."""
    MINDER_TICK = 6
    TELLING = 7
    """The epoch under which something is being written of the guest, and may yet be; 0 for none."""
    MOST_LEFT = 8
    """How far away a deadline may be, in nanoseconds, by the settings of the guard that writes it."""


class Board:
    """The numbers of one domain."""

    def __init__(self, run_dir: Path, domain: str) -> None:
        """Raises OSError."""
        file = directory(run_dir, domain) / "board"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, len(Slot) * _BYTES)  # or a full disk would end who writes, by SIGBUS
            self._numbers = memoryview(mmap.mmap(descriptor, len(Slot) * _BYTES)).cast("q")
        finally:
            os.close(descriptor)

    def __getitem__(self, slot: Slot) -> int:
        return self._numbers[slot]

    def __setitem__(self, slot: Slot, number: int) -> None:
        self._numbers[slot] = number

    def is_guard_awake(self, now_ns: int) -> bool:
        """By its last sign of life."""
        return 0 <= now_ns - self[Slot.GUARD_TICK] < _STALE_NS

    def find(self, number: int) -> None:
        """The domain has this number now; nobody has paused that one yet."""
        self[Slot.DEADLINE] = 0
        self[Slot.NUMBER] = 0
        self[Slot.GUARD_PAUSED] = self[Slot.MINDER_PAUSED] = 0
        self[Slot.NUMBER] = number


def directory(run_dir: Path, domain: str) -> Path:
    """Where a domain's guard keeps its lock, board and state."""
    return run_dir / "guard" / domain
