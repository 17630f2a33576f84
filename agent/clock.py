"""The two clocks: out, what time it is on the one that only goes forward and on the one that people set."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Now:
    """An instant: CLOCK_MONOTONIC for how long something stands, UTC only for how old something was at first sight."""

    monotonic_ns: int
    wall_ns: int

    @classmethod
    def read(cls) -> Self:
        """This instant."""
        return cls(time.monotonic_ns(), time.time_ns())


def boot_id() -> str:
    """What tells this boot from any other: the monotonic clock starts anew with each."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
