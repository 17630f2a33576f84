"""The heartbeat daemon: in, its peers; out, a sign of life to each of them every period, and the pulse of each."""

import argparse
import logging
import os
import select
import socket
import time
from pathlib import Path
from typing import Final

from failover import copies, datagram
from failover.copies import CopyError
from failover.datagram import DatagramError, Heartbeat
from failover.knocks import Knocks
from failover.peer import Peer
from failover.settings import RemusSettings
from failover.wire import read_key
from telemetry.notify import Notifier
from telemetry.units import NS_PER_MS, NS_PER_S

_log = logging.getLogger(__name__)

_ASK_AFTER_PERIODS: Final = 3
_SELDOM_AFTER_NS: Final = 10 * NS_PER_S
_SELDOM_PERIODS: Final = 20
_COPIES_PERIODS: Final = 5
_INCARNATION_BYTES: Final = 16
_MOST_WAITING: Final = 512
"""More than the kernel keeps for a socket by default: what comes after these has come since."""


def run(settings: RemusSettings, _: argparse.Namespace) -> int:
    """Beat until the process is ended; raises OSError where the port is taken, WireError where the key is unusable."""
    daemon, notifier = Daemon(settings), Notifier()
    notifier.ready()
    while True:
        daemon.beat()
        notifier.alive()


class Daemon:
    """One socket for all peers, one period at a time."""

    def __init__(self, settings: RemusSettings) -> None:
        self._key = read_key(settings.heartbeat.key_file)
        self._name, self._run_dir = settings.host.name, settings.host.run_dir
        self._period_ns = int(settings.heartbeat.period_s * NS_PER_S)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind((settings.heartbeat.address, settings.heartbeat.port))
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._next_ns = time.monotonic_ns()
        self._peers: dict[str, Peer] = {}
        self._knocks: dict[str, Knocks] = {}
        for peer in settings.peers:
            address = socket.gethostbyname(peer.address), settings.heartbeat.port
            self._peers[peer.name] = Peer(peer.name, address, self._run_dir, self._next_ns)
            self._knocks[peer.name] = Knocks(address)
        self._incarnation = os.urandom(_INCARNATION_BYTES)
        self._count = 0
        self._copies: tuple[str, ...] = ()
        self._strangers = 0

    def beat(self) -> None:
        """Speak, then listen until the next period begins. A clock that has jumped ahead is not run after."""
        self._speak()
        now_ns = time.monotonic_ns()
        self._next_ns = max(self._next_ns + self._period_ns, now_ns)
        while now_ns < self._next_ns:
            if self._poll.poll((self._next_ns - now_ns) / NS_PER_MS):
                self._hear()
            now_ns = time.monotonic_ns()
        # what has waited while this process did not run is heard before it says that it is awake
        for _ in range(_MOST_WAITING):  # a flood of strangers' must not keep it from speaking
            if not self._poll.poll(0):
                break
            self._hear()
        for peer in self._peers.values():
            peer.tick(now_ns)
            self._ask(peer, now_ns)

    def _speak(self) -> None:
        if self._count % _COPIES_PERIODS == 0:
            self._copies = _protected(self._run_dir)
        self._count += 1
        beat = Heartbeat(self._name, self._incarnation, self._count, self._copies).encode(self._key)
        for peer in self._peers.values():
            try:
                self._socket.sendto(beat, peer.address)
            except OSError:
                continue  # a link that is down now may be up at the next beat

    def _ask(self, peer: Peer, now_ns: int) -> None:
        """Ask the kernel of a peer whose heartbeats stay away, each period, until they come again."""
        knocks = self._knocks[peer.name]
        if knocks.is_waiting and knocks.answered():
            peer.answered(now_ns)
        silent_ns = peer.silent_ns(now_ns)
        if silent_ns < _ASK_AFTER_PERIODS * self._period_ns:
            knocks.stop()
        elif (silent_ns < _SELDOM_AFTER_NS or self._count % _SELDOM_PERIODS == 0) and knocks.knock():
            peer.answered(now_ns)

    def _hear(self) -> None:
        try:
            heartbeat = datagram.decode(self._socket.recv(datagram.MAX_BYTES + 1), self._key)
            self._peers[heartbeat.host].hear(heartbeat, time.monotonic_ns())
        except BlockingIOError:  # its checksum was wrong: poll(2) did not know
            return
        except (DatagramError, UnicodeError, KeyError) as error:
            self._strangers += 1
            if self._strangers & (self._strangers - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                _log.warning("heartbeat %d of a stranger passed over: %s", self._strangers, error)


def _protected(run_dir: Path) -> tuple[str, ...]:
    """Domains whose whole copy is here, its receiver alive."""
    try:
        return tuple(domain for domain in copies.domains(run_dir) if _is_protected(run_dir, domain))
    except OSError as error:
        _log.warning("%s", error)
        return ()


def _is_protected(run_dir: Path, domain: str) -> bool:
    try:
        record = copies.read(run_dir, domain)
    except (CopyError, OSError) as error:  # of which the others' copies know nothing
        _log.warning("%s", error)
        return False
    return record is not None and record.phase == "protected" and record.is_attended
