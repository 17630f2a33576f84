"""One peer of the heartbeat daemon: in, datagrams and the answers of its kernel; out, its pulse, kept in a file.

A silent daemon is no dead host. So as soon as heartbeats stay away, the peer's kernel is asked: it refuses a TCP
connection to the heartbeat's port at once, where nobody listens, whatever has become of its processes.
"""

import errno
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Final

from agent import files
from failover import pulse
from failover.datagram import Heartbeat
from failover.pulse import Pulse

_AWAKE_NS: Final = 400_000_000
"""A daemon that wakes later than this may find signs of life that still wait in the network card: it starts afresh."""
_ANSWERS: Final = {0, errno.ECONNREFUSED}


class Peer:
    """Hears, asks and remembers; every method takes the present (CLOCK_MONOTONIC)."""

    def __init__(self, name: str, address: tuple[str, int], run_dir: Path, ask_after_ns: int, now_ns: int) -> None:
        """Ask its kernel after `ask_after_ns` of silence. What an earlier daemon heard in this boot is remembered."""
        self.name = name
        self.address = address
        self.probe: socket.socket | None = None
        self._ask_after_ns = ask_after_ns
        self._asked_ns = 0
        self._last: tuple[bytes, int] = b"", 0
        self._copies = _copies_path(run_dir, name)
        file = pulse.path(run_dir, name)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = pulse.read(file) or Pulse(0, 0, 0, 0)
        self._pulse = Pulse(now_ns, now_ns, before.heard_ns, before.answered_ns)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._told: tuple[str, ...] | None = None

    def hear(self, heartbeat: Heartbeat, now_ns: int) -> None:
        """Take a heartbeat, unless it is an old one."""
        incarnation, count = self._last
        if heartbeat.incarnation == incarnation and heartbeat.count <= count:
            return
        self._last = heartbeat.incarnation, heartbeat.count
        self._keep(heard_ns=now_ns)
        if tuple(heartbeat.copies) != self._told:
            self._told = tuple(heartbeat.copies)
            files.replace(self._copies, "".join(f"{name}\n" for name in self._told), durable=False)

    def tick(self, now_ns: int) -> None:
        """The daemon is awake."""
        since_ns = self._pulse.listening_since_ns
        if now_ns - self._pulse.tick_ns > _AWAKE_NS:
            since_ns = now_ns
        self._keep(tick_ns=now_ns, listening_since_ns=since_ns)

    def asks(self, now_ns: int) -> bool:
        """Whether its kernel ought to be asked now."""
        silent_ns = now_ns - self._pulse.alive_ns
        return silent_ns >= self._ask_after_ns and now_ns - self._asked_ns >= self._ask_after_ns

    def ask(self, now_ns: int) -> None:
        """Knock at its port; an earlier knock is given up."""
        self.hang_up()
        self._asked_ns = now_ns
        self.probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        error = self.probe.connect_ex(self.address)
        if error != errno.EINPROGRESS:
            self.answer(error, now_ns)

    def answer(self, error: int, now_ns: int) -> None:
        """How the knock ended."""
        self.hang_up()
        if error in _ANSWERS:
            self._keep(answered_ns=now_ns)

    def hang_up(self) -> None:
        """Give a knock up."""
        if self.probe is not None:
            self.probe.close()
            self.probe = None

    def _keep(self, **changes: int) -> None:
        self._pulse = replace(self._pulse, **changes)
        pulse.write(self._descriptor, self._pulse)


def copies_held(run_dir: Path, peer: str) -> frozenset[str]:
    """The domains of which `peer` last said that it holds protected copies."""
    return frozenset((files.read(_copies_path(run_dir, peer)) or "").splitlines())


def _copies_path(run_dir: Path, peer: str) -> Path:
    return run_dir / "heartbeat" / f"{peer}:copies"
