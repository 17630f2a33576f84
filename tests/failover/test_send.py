"""What a transport tells the pacer of its connection: which it is, where the kernel can tell how far it has come."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import processes
from failover.send import _tell_pacer
from tests.failover.hosts import Pair
from tests.waiting import wait_for


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.end()


def test_a_tcp_connection_is_told_of_before_anything_is_sent(pair: Pair) -> None:
    pair.a.replicate(FAKE_FIRST_COPY_S="300")
    told = pair.a.run_dir / pair.domain / "stream"
    wait_for(told.exists)
    pid, descriptor = map(int, told.read_text().split())
    assert [sender.pid for sender in processes.sender_of(pair.domain)] == [pid]
    assert stat.S_ISSOCK(Path(f"/proc/{pid}/fd/{descriptor}").stat().st_mode)


def test_of_ssh_nothing_is_told_nor_left_from_before(tmp_path: Path) -> None:
    told = tmp_path / "web1" / "stream"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        _tell_pacer(told, connection)
        assert told.read_text() == f"{os.getpid()} {connection.fileno()}\n"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(2):
            _tell_pacer(told, ours)
            assert not told.exists()
