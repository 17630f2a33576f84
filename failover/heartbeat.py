"""The heartbeat daemon: in, its peers; out, a sign of life to each of them every period, and the pulse of each."""

import argparse
import logging
import os
import select
import socket
import time
from pathlib import Path
from typing import Final

from agent.notify import Notifier
from failover import copies, datagram
from failover.copies import CopyError
from failover.datagram import DatagramError, Heartbeat
from failover.peer import Peer
from failover.settings import RemusSettings
from failover.wire import read_key

_log = logging.getLogger(__name__)

_NS_PER_S: Final = 10**9
_ASK_AFTER_PERIODS: Final = 3
_COPIES_PERIOD_S: Final = 0.5
_INCARNATION_BYTES: Final = 16


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
        now_ns = time.monotonic_ns()
        self._key = read_key(settings.heartbeat.key_file)
        self._name, self._run_dir = settings.host.name, settings.host.run_dir
        self._period_ns = int(settings.heartbeat.period_s * _NS_PER_S)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind((settings.heartbeat.address, settings.heartbeat.port))
        self._peers = {
            peer.name: Peer(
                peer.name,
                (socket.gethostbyname(peer.address), settings.heartbeat.port),
                self._run_dir,
                _ASK_AFTER_PERIODS * self._period_ns,
                now_ns,
            )
            for peer in settings.peers
        }
        self._incarnation = os.urandom(_INCARNATION_BYTES)
        self._count = 0
        self._next_ns = now_ns
        self._copies: tuple[str, ...] = ()
        self._copies_read_ns = 0
        self._strangers = 0

    def beat(self) -> None:
        """Speak, then listen until the next period begins. A clock that has jumped ahead is not run after."""
        self._speak()
        now_ns = time.monotonic_ns()
        self._next_ns = max(self._next_ns + self._period_ns, now_ns)
        while (now_ns := time.monotonic_ns()) < self._next_ns:
            self._listen((self._next_ns - now_ns) / 1e6)
        self._listen(0)  # what has waited while this process did not run is heard before it says that it is awake
        now_ns = time.monotonic_ns()
        for peer in self._peers.values():
            peer.tick(now_ns)
            if peer.asks(now_ns):
                peer.ask(now_ns)

    def _speak(self) -> None:
        self._count += 1
        beat = Heartbeat(self._name, self._incarnation, self._count, self._copies_here()).encode(self._key)
        for peer in self._peers.values():
            try:
                self._socket.sendto(beat, peer.address)
            except OSError:
                continue  # a link that is down now may be up at the next beat

    def _listen(self, limit_ms: float) -> None:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        knocks = {peer.probe.fileno(): peer for peer in self._peers.values() if peer.probe is not None}
        for descriptor in knocks:
            waiting.register(descriptor, select.POLLOUT)
        for descriptor, _ in waiting.poll(limit_ms):
            peer = knocks.get(descriptor)
            if peer is None:
                self._hear()
            elif peer.probe is not None:
                peer.answer(peer.probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), time.monotonic_ns())

    def _hear(self) -> None:
        while True:
            try:
                heartbeat = datagram.decode(self._socket.recv(datagram.MAX_BYTES + 1), self._key)
                self._peers[heartbeat.host].hear(heartbeat, time.monotonic_ns())
            except BlockingIOError:
                return
            except (DatagramError, UnicodeDecodeError, KeyError) as error:
                self._strangers += 1
                if self._strangers & (self._strangers - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                    _log.warning("heartbeat %d of a stranger passed over: %s", self._strangers, error)

    def _copies_here(self) -> tuple[str, ...]:
        """Domains whose whole copy is here, its receiver alive."""
        now_ns = time.monotonic_ns()
        if now_ns - self._copies_read_ns >= _COPIES_PERIOD_S * _NS_PER_S:
            self._copies_read_ns = now_ns
            self._copies = _protected(self._run_dir)
        return self._copies


def _protected(run_dir: Path) -> tuple[str, ...]:
    try:
        records = copies.all_records(run_dir)
    except (CopyError, OSError) as error:
        _log.warning("%s", error)
        return ()
    return tuple(record.domain for record in records if record.phase == "protected" and record.is_attended)
