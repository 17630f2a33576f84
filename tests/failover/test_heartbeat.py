"""The heartbeat daemon in one process, where what it hears or finds is not as it should be."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from failover import copies, processes, pulse
from failover.datagram import Heartbeat, decode
from failover.heartbeat import Daemon
from failover.peer import copies_held
from failover.settings import HeartbeatSettings, HostSettings, PeerSettings, RemusSettings

Begun = Callable[[Daemon], Daemon]
KEY = b"0123456789abcdef"
LIMIT_S = 20.0


@pytest.fixture
def settings(tmp_path: Path) -> RemusSettings:
    key = tmp_path / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    network = "127.{}.{}".format(*(byte or 1 for byte in os.urandom(2)))  # its own, lest another test takes the port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind((f"{network}.1", 0))
        port = found.getsockname()[1]
    at = HeartbeatSettings(port, f"{network}.1", period_s=0.05, key_file=key)
    return RemusSettings(HostSettings("a", tmp_path / "run"), at, peers=(PeerSettings("b", f"{network}.2"),))


@pytest.fixture
def begun() -> Iterator[Begun]:
    """Daemons, until the test's end."""
    with ExitStack() as stack:

        def begin(daemon: Daemon) -> Daemon:
            stack.enter_context(daemon._socket)
            for knocks in daemon._knocks.values():
                stack.callback(knocks.stop)
            return daemon

        yield begin


def say(settings: RemusSettings, count: int, *copies: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as b:
        heartbeat = Heartbeat("b", b"i" * 16, count, copies).encode(KEY)
        b.sendto(heartbeat, (settings.heartbeat.address, settings.heartbeat.port))


class Flooded(Daemon):
    """Whatever it hears, something else waits already."""

    def _hear(self) -> None:
        super()._hear()
        self._socket.sendto(b"nonsense", self._socket.getsockname())


def test_a_flood_of_nonsense_does_not_silence_it(settings: RemusSettings, begun: Begun) -> None:
    daemon = begun(Flooded(settings))

    def beat() -> None:
        for _ in range(3):
            daemon.beat()

    say(settings, 1)
    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    beating.join(LIMIT_S)
    assert not beating.is_alive()
    assert daemon._count == 3
    known = pulse.read(pulse.path(settings.host.run_dir, "b"))
    assert known is not None
    assert known.heard_ns


def test_what_a_peer_holds_is_not_known_where_it_cannot_be_written(settings: RemusSettings, begun: Begun) -> None:
    """And the daemon beats on: without it no host knows that the other lives."""
    daemon, run_dir = begun(Daemon(settings)), settings.host.run_dir
    blocked = run_dir / "heartbeat" / ".b:copies.new"
    blocked.mkdir()
    (run_dir / "heartbeat" / "b:copies").write_text("web0\n")
    say(settings, 1, "web1")
    daemon.beat()
    assert copies_held(run_dir, "b") == frozenset()
    blocked.rmdir()
    say(settings, 2, "web1")
    daemon.beat()
    assert copies_held(run_dir, "b") == {"web1"}


def test_a_copy_of_any_name_ends_no_heartbeat(settings: RemusSettings, begun: Begun) -> None:
    daemon = begun(Daemon(settings))
    say(settings, 1, "w\u00e9b")
    daemon.beat()
    assert daemon._strangers == 1


@pytest.mark.parametrize("text", [b"\xff", b"{", b"[" * 20000])
def test_a_record_that_is_none_ends_no_heartbeat(settings: RemusSettings, begun: Begun, text: bytes) -> None:
    state = copies.directory(settings.host.run_dir, "web1") / "state"
    state.parent.mkdir(parents=True)
    state.write_bytes(text)
    me = processes.this_process()
    copies.write(settings.host.run_dir, copies.Record("web2", "b", "mark", me.pid, me.started, "protected"))
    b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    b.bind((settings.peers[0].address, settings.heartbeat.port))
    b.settimeout(LIMIT_S)
    with b:
        begun(Daemon(settings)).beat()
        assert decode(b.recv(2000), KEY).copies == ("web2",)
