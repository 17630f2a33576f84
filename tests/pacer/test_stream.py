"""Output is let out once the backup's kernel has acknowledged what was sent: real sockets, in their own network."""

import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from agent.reports import Ended
from tests.pacer.conftest import ROOT, Start
from tests.pacer.replication import Replication, eventually
from tests.pacer.test_plug import EPOCH, HELD, told

_ENTER = ("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")), "--net")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The pacer's."""
    folder = tmp_path / "web1"
    folder.mkdir(mode=0o700)
    return folder


def transport_to(folder: Path) -> str:
    command = [*_ENTER, sys.executable, "-S", str(ROOT / "tests/pacer/tcp_transport.py"), str(folder)]
    return "exec " + shlex.join(command)


def check_let_out_one_by_one(replication: Replication) -> None:
    """The kernel remembers one epoch that has ended: another end before that is let out would hold it for ever."""
    plugged = [what for what in told(replication) if what in {"plug-hold", "plug-release-one"}]
    assert plugged[::2] == ["plug-hold"] * len(plugged[::2])
    assert plugged[1::2] == ["plug-release-one"] * len(plugged[1::2])


def signal_transport(folder: Path, number: int) -> None:
    os.kill(int((folder / "stream").read_text().split()[0]), number)


@pytest.mark.parametrize("libxl", ["4.17", "2.0"])
def test_what_is_acknowledged_is_let_out(start: Start, folder: Path, libxl: str) -> None:
    replication = start(libxl=libxl, environment=HELD, transport=transport_to(folder))
    replication.await_ns("plug-release-one", count=10)
    assert {what for what, _ in replication.trace()} >= set(EPOCH)


def test_what_is_on_its_way_is_held_until_it_is_acknowledged(start: Start, folder: Path) -> None:
    replication = start(environment=HELD, transport=transport_to(folder))
    eventually((folder / "stream").exists, "the transport")
    replication.await_ns("plug-release-one", count=len(replication.times_ns("commit")) + 3)
    signal_transport(folder, signal.SIGUSR1)
    eventually((folder / "down").exists, "the network to go down")
    replication.await_ns("commit", count=len(replication.times_ns("commit")) + 2)  # one was wholly sent since then
    released = len(replication.times_ns("plug-release-one"))
    replication.await_ns("commit", count=len(replication.times_ns("commit")) + 5)
    assert len(replication.times_ns("plug-release-one")) == released
    signal_transport(folder, signal.SIGUSR2)
    replication.await_ns("plug-release-one", count=released + 10)
    check_let_out_one_by_one(replication)


def test_what_the_transport_has_not_taken_is_held(start: Start, folder: Path) -> None:
    replication = start(environment=HELD, transport=transport_to(folder))
    eventually((folder / "stream").exists, "the transport")
    replication.await_ns("plug-release-one", count=len(replication.times_ns("commit")) + 3)
    (folder / "take-nothing").touch()
    replication.await_ns("commit", count=len(replication.times_ns("commit")) + 2)  # one was wholly sent since then
    released = len(replication.times_ns("plug-release-one"))
    replication.await_ns("commit", count=len(replication.times_ns("commit")) + 5)
    assert len(replication.times_ns("plug-release-one")) == released
    (folder / "take-nothing").unlink()
    replication.await_ns("plug-release-one", count=released + 10)
    check_let_out_one_by_one(replication)


def test_a_transport_that_has_ended_lets_nothing_out(start: Start, folder: Path) -> None:
    """Another takes the stream, as the program that is said to be one has gone."""
    (folder / "stream").write_text(f"{_ended()} 3\n")
    replication = start(environment=HELD)
    replication.await_ns("commit", count=5)
    assert replication.times_ns("plug-release-one") == []


@pytest.mark.parametrize("text", ["nonsense", "{pid} {file}"])
def test_what_cannot_be_seen_ends_the_replication(start: Start, folder: Path, text: str) -> None:
    """Such as a descriptor that is no connection."""
    with Path("/dev/null").open() as file:
        _check_ends(start, folder, text.format(pid=os.getpid(), file=file.fileno()))


def _check_ends(start: Start, folder: Path, text: str) -> None:
    (folder / "stream").write_text(f"{text}\n")
    replication = start(environment=HELD)
    assert replication.finish() == Ended("nobody can see what the backup has of the stream")
    assert replication.times_ns("plug-release-one") == []
    assert replication.times_ns("guest-runs") != []


def test_over_ssh_nobody_tells_and_that_is_said_once(start: Start) -> None:
    replication = start(environment=HELD)
    replication.await_ns("plug-release-one", count=3)
    assert replication.said().count("no transport tells of its connection") == 1


def _ended() -> int:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    return pid
