"""What is known of a peer's life: in, what the heartbeat daemon heard; out, a small file that others read at any time.

All times are CLOCK_MONOTONIC of this host in nanoseconds, 0 for never in this boot.
"""

import mmap
import os
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from telemetry.units import NS_PER_S

_STALE_NS: Final = NS_PER_S // 2
"""A heartbeat daemon that has not ticked for so long hears nobody, whoever lives."""
_LAYOUT: Final = struct.Struct("<5Q")
_TRIES: Final = 3


@dataclass(frozen=True)
class Pulse:
    """When the daemon last was awake, since when without a break, and when the peer last gave a sign of life."""

    tick_ns: int
    listening_since_ns: int
    heard_ns: int
    """By an authentic heartbeat."""
    answered_ns: int
    """By its kernel alone: its daemon may be dead, the host is not."""

    @property
    def alive_ns(self) -> int:
        """The last sign of life, of whatever kind."""
        return max(self.heard_ns, self.answered_ns)

    def is_awake(self, now_ns: int) -> bool:
        """Whether the daemon is: what one that sleeps has not heard proves nothing. Ask after reading the pulse."""
        return 0 <= now_ns - self.tick_ns < _STALE_NS


NEVER: Final = Pulse(0, 0, 0, 0)


class Writer:
    """The daemon's end: the file in its memory, as a system call costs an emulated host dearly."""

    def __init__(self, file: Path) -> None:
        """Raises OSError."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _LAYOUT.size)  # or a full disk would end who writes, by SIGBUS
            self._memory = mmap.mmap(descriptor, _LAYOUT.size)
        finally:
            os.close(descriptor)

    def write(self, pulse: Pulse) -> None:
        """Write in place; the tick stands at both ends, so that a reader sees when it met a writer."""
        tick_ns = pulse.tick_ns
        _LAYOUT.pack_into(
            self._memory, 0, tick_ns, pulse.listening_since_ns, pulse.heard_ns, pulse.answered_ns, tick_ns
        )


def path(run_dir: Path, peer: str) -> Path:
    """Where the pulse of `peer` is."""
    return run_dir / "heartbeat" / peer


def silence_s(run_dir: Path, peer: str) -> float | None:
    """How long a peer that was once heard has been silent to a daemon that listened; None where nobody can tell."""
    known = read(path(run_dir, peer))
    now_ns = time.monotonic_ns()
    if known is None or not known.is_awake(now_ns) or not known.heard_ns:
        return None
    return (now_ns - max(known.alive_ns, known.listening_since_ns)) / NS_PER_S


def read(file: Path) -> Pulse | None:
    """The pulse in `file`; None where there is none, or it cannot be read."""
    with suppress(OSError):
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for _ in range(_TRIES):
                packed = os.pread(descriptor, _LAYOUT.size, 0)
                if len(packed) == _LAYOUT.size:
                    *values, again = _LAYOUT.unpack(packed)
                    if values[0] == again:
                        return Pulse(*values)
        finally:
            os.close(descriptor)
    return None
