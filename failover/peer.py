"""One peer of the heartbeat daemon: in, datagrams and the answers of its kernel; out, its pulse, kept in a file."""

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from failover import pulse
from failover.datagram import Heartbeat
from failover.pulse import NEVER, Pulse
from telemetry import files

_log = logging.getLogger(__name__)

_AWAKE_NS: Final = 400_000_000
"""A daemon that wakes later than this may find signs of life that still wait in the network card: it starts afresh."""


class Peer:
    """Hears and remembers; every method takes the present (CLOCK_MONOTONIC)."""

    def __init__(self, name: str, address: tuple[str, int], run_dir: Path, now_ns: int) -> None:
        """What an earlier daemon has heard in this boot is remembered."""
        self.name = name
        self.address = address
        self._counts: dict[bytes, int] = {}
        """The highest that was heard of each incarnation: what is not above it was heard, or is older."""
        self._copies = _copies_path(run_dir, name)
        self._told: tuple[str, ...] | None = None
        self._problem = ""
        file = pulse.path(run_dir, name)
        self._pulse = replace(pulse.read(file) or NEVER, tick_ns=now_ns, listening_since_ns=now_ns)
        self._writer = pulse.Writer(file)
        self._writer.write(self._pulse)

    def hear(self, heartbeat: Heartbeat, now_ns: int) -> None:
        """Take a heartbeat, unless it is an old one."""
        if heartbeat.count <= self._counts.get(heartbeat.incarnation, -1):
            return
        self._counts[heartbeat.incarnation] = heartbeat.count
        known = self._pulse
        self._keep(Pulse(known.tick_ns, known.listening_since_ns, now_ns, known.answered_ns))
        if heartbeat.copies != self._told:
            self._note(heartbeat.copies)

    def tick(self, now_ns: int) -> None:
        """The daemon is awake."""
        known = self._pulse
        since_ns = known.listening_since_ns if now_ns - known.tick_ns <= _AWAKE_NS else now_ns
        self._keep(Pulse(now_ns, since_ns, known.heard_ns, known.answered_ns))

    def answered(self, now_ns: int) -> None:
        """Its kernel has refused a connection: the host is alive."""
        self._keep(replace(self._pulse, answered_ns=now_ns))

    def silent_ns(self, now_ns: int) -> int:
        """Since when it has given no sign of life."""
        return now_ns - self._pulse.alive_ns

    def _note(self, copies: tuple[str, ...]) -> None:
        """A full disk must not end who tells of life; until it can be written no copy is known of."""
        try:
            files.replace(self._copies, "".join(f"{name}\n" for name in copies), durable=False)
        except OSError as error:
            if str(error) != self._problem:
                _log.error("which copies %s holds cannot be written: %s", self.name, error)
            self._told, self._problem = None, str(error)
            with suppress(OSError):
                self._copies.unlink(missing_ok=True)
        else:
            self._told, self._problem = copies, ""

    def _keep(self, known: Pulse) -> None:
        self._pulse = known
        self._writer.write(known)


def copies_held(run_dir: Path, peer: str) -> frozenset[str]:
    """The domains of which `peer` last said that it holds protected copies."""
    return frozenset((files.read(_copies_path(run_dir, peer)) or "").splitlines())


def _copies_path(run_dir: Path, peer: str) -> Path:
    return run_dir / "heartbeat" / f"{peer}:copies"
