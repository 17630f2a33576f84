import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from failover import tcp
from failover.relay import Broken, Relay

STALL_S = 0.5


@dataclass(frozen=True)
class Ends:
    """A relay between a pipe, a TCP connection and another pipe."""

    relay: Relay
    source: int
    far: socket.socket
    sink: int


@pytest.fixture(params=["pipe", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    listener = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
    tcp.watch(near, STALL_S)
    if request.param == "pipe":
        inlet, source = os.pipe()
    else:
        pair = socket.socketpair()
        inlet, source = pair[0].detach(), pair[1].detach()
    sink, outlet = os.pipe()
    yield Ends(Relay(inlet, near, outlet, STALL_S), source, far, sink)
    for descriptor in (inlet, sink, outlet):
        os.close(descriptor)
    for connection in (listener, near, far):
        connection.close()


def running(relay: Relay) -> tuple[threading.Thread, list[str]]:
    reasons: list[str] = []

    def run() -> None:
        try:
            relay.run()
        except Broken as error:
            reasons.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, reasons


def written(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(data)


def test_every_byte_both_ways_until_the_source_ends(ends: Ends) -> None:
    thread, reasons = running(ends.relay)
    data = os.urandom(3_000_000)
    writer = threading.Thread(target=written, args=[ends.source, data])
    writer.start()
    ends.far.sendall(b"banner\n")
    heard = b""
    while part := ends.far.recv(1 << 16):
        heard += part
    assert heard == data
    assert os.read(ends.sink, 100) == b"banner\n"
    ends.far.close()
    thread.join()
    writer.join()
    assert reasons == []


def test_other_side_ends(ends: Ends) -> None:
    thread, reasons = running(ends.relay)
    ends.far.close()
    thread.join()
    os.close(ends.source)
    assert reasons == ["the other side has ended the connection"]


def test_other_side_takes_nothing(ends: Ends) -> None:
    os.set_blocking(ends.source, False)
    thread, reasons = running(ends.relay)
    began_s = time.monotonic()
    while thread.is_alive() and time.monotonic() < began_s + 30:
        try:
            os.write(ends.source, bytes(1 << 16))
        except BlockingIOError:
            time.sleep(0.01)
    thread.join()
    os.close(ends.source)
    assert reasons[0] in {
        "the other side has taken nothing for 0.5 s",
        "the connection is broken: Connection timed out",
    }


def test_other_side_is_lost_while_nothing_is_to_be_sent(ends: Ends) -> None:
    lost = threading.Event()
    inlet, source = os.pipe()
    relay = Relay(inlet, ends.far, ends.sink, 60, lost.is_set)
    thread, reasons = running(relay)
    os.write(source, b"a checkpoint")
    assert not reasons
    lost.set()
    thread.join(5)
    assert reasons == ["the other side is silent"]
    for descriptor in (inlet, source, ends.source):
        os.close(descriptor)


def test_other_side_is_lost_while_it_takes_nothing(ends: Ends) -> None:
    """Long before `stall_s`: the guest stands still until then."""
    inlet, source = os.pipe()
    os.set_blocking(source, False)
    lost = threading.Event()
    relay = Relay(inlet, ends.far, ends.sink, 60, lost.is_set)
    thread, reasons = running(relay)
    for _ in range(50):  # until neither the connection nor the pipe takes any more
        with suppress(BlockingIOError):
            os.write(source, bytes(1 << 20))
        time.sleep(0.01)
    lost.set()
    thread.join(5)
    assert reasons == ["the other side is silent"]
    for descriptor in (inlet, source, ends.source):
        os.close(descriptor)


def test_process_that_reads_the_answers_has_ended(ends: Ends) -> None:
    """`source` may stay open, as xl's helper has it, too."""
    thread = threading.Thread(target=ends.far.recv, args=[1])  # ends the connection after the relay has
    thread.start()
    child = os.posix_spawn("/bin/true", ["true"], {})
    parent = os.pidfd_open(child)
    os.waitpid(child, 0)
    began_s = time.monotonic()
    closing = threading.Timer(0.2, ends.far.close)
    closing.start()
    ends.relay.run(parent)
    assert time.monotonic() < began_s + 3
    for waited in (thread, closing):
        waited.join()
    for descriptor in (parent, ends.source):
        os.close(descriptor)
