import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.inbox import Inbox


def send(path: Path, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(path))
        for datagram in datagrams:
            sender.send(datagram, socket.MSG_DONTWAIT)


def test_reads_what_came_in_order_and_does_not_wait(tmp_path: Path) -> None:
    with Inbox(tmp_path / "sock") as inbox:
        assert list(inbox.read(100)) == []
        send(tmp_path / "sock", b"one", b"", b"three")
        assert list(inbox.read(100)) == [b"one", b"", b"three"]
        assert list(inbox.read(100)) == []


def test_cuts_what_is_too_long(tmp_path: Path) -> None:
    with Inbox(tmp_path / "sock") as inbox:
        send(tmp_path / "sock", b"x" * 5000, b"next")
        assert list(inbox.read(100)) == [b"x" * 100, b"next"]


def test_a_full_inbox_never_holds_its_sender_up(tmp_path: Path) -> None:
    with Inbox(tmp_path / "sock"):
        began_s = time.monotonic()
        with pytest.raises(BlockingIOError):
            send(tmp_path / "sock", *[b"x"] * 100_000)
        assert time.monotonic() - began_s < 2.0


def test_only_its_user_may_send(tmp_path: Path) -> None:
    with Inbox(tmp_path / "sock"):
        mode = (tmp_path / "sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["sock"]


def test_takes_the_place_of_what_a_killed_agent_left(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    bind_and_die = (
        "import os, socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[1]); os._exit(9)"
    )
    for left in (path, path.with_suffix(".new")):
        subprocess.run([sys.executable, "-c", bind_and_die, str(left)], check=False)
        assert left.exists()
    with Inbox(path) as inbox:
        send(path, b"hello")
        assert list(inbox.read(100)) == [b"hello"]


def test_removes_its_socket_but_no_others(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    first = Inbox(path)
    assert first.is_in_place()
    second = Inbox(path)
    assert not first.is_in_place()
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()


def test_notices_that_its_directory_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "h1"
    folder.mkdir()
    with Inbox(folder / "sock") as inbox:
        (folder / "sock").unlink()
        folder.rmdir()
        assert not inbox.is_in_place()


def test_says_why_it_cannot_listen(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Inbox(tmp_path / "nowhere" / "sock")
    with pytest.raises(OSError, match="too long"):
        Inbox(tmp_path / ("x" * 120))
