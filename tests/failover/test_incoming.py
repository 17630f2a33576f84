"""A copy on its way, between a stream by TCP and what stands for xl: what was acknowledged reaches it."""

import fcntl
import os
import socket
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from failover import copies, incoming
from failover.copies import Record
from failover.gate import Decision, Evidence, Verdict
from failover.incoming import Incoming
from tests.failover import stream
from tests.waiting import wait_for

WHOLE = stream.header("web1") + stream.checkpoint(20)
"""A first copy that fits between the receiver and an xl that does not read."""
MORE = stream.checkpoint(14) * 5
"""More than fits there, but not more than the receiver's kernel takes, too."""
_KERNEL_BYTES = 200_000
"""Of the receiver's socket: by itself it grows only as it is read."""
SIOCOUTQ = termios.TIOCOUTQ
"""What a socket has sent and the other side's kernel has not acknowledged (tcp(7))."""


class Gate:
    """Waits, until it is told to drain; then wakes, once all is passed on."""

    descriptors: Sequence[int] = ()

    def __init__(self) -> None:
        self.is_won = self.has_drained = False

    def judge(self, evidence: Evidence) -> Decision:
        if not self.is_won:
            return Decision(Verdict.WAIT, "the primary lives")
        self.has_drained = True
        return Decision(Verdict.TAKE_OVER if evidence.is_drained else Verdict.DRAIN, "won")


class Copy:
    """Both ends of a stream, and an xl that reads only when it is told to."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL_BYTES)
        self.primary = stack.enter_context(socket.create_connection(listener.getsockname()))
        received, _ = listener.accept()
        stack.callback(received.close)
        ours, self.xl = socket.socketpair()
        stack.callback(ours.close)
        stack.callback(self.xl.close)
        self.child = subprocess.Popen(["sleep", "300"])
        stack.callback(self.child.wait)
        stack.callback(self.child.kill)
        copies.directory(folder, "web1").mkdir(parents=True)
        self.gate, record = Gate(), Record("web1", "a", "copy", os.getpid(), 0, "receiving")
        self.incoming = Incoming(folder, record, self.gate, received, ours)
        self.decision: Decision | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        stack.callback(self.incoming.orders.close)
        stack.callback(self._thread.join)
        stack.callback(self.child.kill)

    def _run(self) -> None:
        self.decision = self.incoming.run(self.child)

    def acknowledged(self, data: bytes) -> None:
        """Send it, and wait until the other side's kernel has it."""
        self.primary.sendall(data)
        wait_for(lambda: unacknowledged(self.primary) == 0)

    def read(self, count: int) -> bytes:
        """What xl gets."""
        self.xl.settimeout(20)
        data = b""
        while len(data) < count and (more := self.xl.recv(1 << 20)):
            data += more
        return data

    def reads_on(self) -> bool:
        """As far as there is something to be read."""
        with suppress(BlockingIOError):
            while self.xl.recv(1 << 20):
                pass
        return True


def unacknowledged(connection: socket.socket) -> int:
    return int(struct.unpack("i", fcntl.ioctl(connection, SIOCOUTQ, b"\0" * 4))[0])


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    with ExitStack() as stack:
        yield Copy(tmp_path, stack)


def test_what_was_acknowledged_before_the_takeover_reaches_xl(copy: Copy) -> None:
    """It waits in the kernel, as xl was slow: the guest's output for it may be with clients already."""
    data = stream.header("web1") + MORE
    copy.acknowledged(data)
    copy.gate.is_won = True
    wait_for(lambda: copy.gate.has_drained)
    assert copy.decision is None
    assert copy.read(len(data)) == data
    wait_for(lambda: copy.decision is not None)
    assert copy.decision == Decision(Verdict.TAKE_OVER, "won")


@pytest.mark.parametrize("short", [8, 3, 1])
def test_xl_never_has_the_beginning_of_libxls_part_alone(copy: Copy, short: int) -> None:
    """It would wait for the rest for ever, and the copy would never wake."""
    torn = stream.checkpoint()[:-short]
    copy.acknowledged(WHOLE + torn)
    copy.gate.is_won = True
    wait_for(lambda: copy.decision is not None)
    passed = WHOLE + stream.checkpoint()[:-9]
    assert copy.read(len(passed)) == passed
    copy.xl.setblocking(False)
    with pytest.raises(BlockingIOError):
        copy.xl.recv(1)


def test_what_was_held_goes_on_with_the_rest(copy: Copy) -> None:
    torn = stream.checkpoint() * 2
    copy.acknowledged(WHOLE + torn[:-8])
    assert copy.read(len(WHOLE + torn) - 9) == WHOLE + torn[:-9]
    copy.acknowledged(torn[-8:])
    assert copy.read(9) == torn[-9:]


def test_nothing_is_acknowledged_after_the_takeover_has_begun(copy: Copy) -> None:
    copy.acknowledged(WHOLE)
    copy.gate.is_won = True
    copy.primary.settimeout(20)
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        copy.primary.sendall(stream.checkpoint() * 10000)
    copy.xl.setblocking(False)
    wait_for(lambda: copy.reads_on() and copy.decision is not None)


def test_what_is_no_stream_of_remus_is_not_passed_on(copy: Copy) -> None:
    copy.primary.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + b" " * 40)
    wait_for(lambda: copy.decision is not None)
    assert copy.decision is not None
    assert copy.decision.verdict is Verdict.GIVE_UP
    copy.xl.setblocking(False)
    with suppress(BlockingIOError):
        assert copy.xl.recv(1) == b""


def test_a_copy_that_is_the_guest_is_not_lost_to_what_is_no_stream(copy: Copy) -> None:
    """From then on nobody else has it: what came before counts."""
    copy.acknowledged(WHOLE)
    assert copy.read(len(WHOLE)) == WHOLE
    copy.acknowledged(WHOLE[len(stream.header("web1")) :] + MORE)
    wait_for(lambda: copy.incoming._unsent)  # xl is slow: what comes now is not yet looked at
    copy.acknowledged(b"\xff" * 64)
    copy.gate.is_won = True
    wait_for(lambda: copy.gate.has_drained)
    copy.xl.setblocking(False)
    wait_for(lambda: copy.reads_on() and copy.decision is not None)
    assert copy.decision == Decision(Verdict.TAKE_OVER, "won")


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_full_disk_is_not_the_end_of_a_copy(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_mended: bool
) -> None:
    """Once it is the guest it waits, but not for ever: one that is not on record would be ended if this died now."""
    monkeypatch.setattr(incoming, "_RECORD_LIMIT_S", 20.0 if is_mended else 0.5)
    full = copies.directory(tmp_path, "web1") / ".state.new"
    full.mkdir()  # in the way, as a full disk is
    copy.acknowledged(WHOLE)
    copy.primary.shutdown(socket.SHUT_WR)
    assert copy.read(len(WHOLE)) == WHOLE
    copy.gate.is_won = True
    wait_for(lambda: copy.decision is not None)
    assert copy.decision == Decision(Verdict.TAKE_OVER, "won")
    waking = threading.Thread(target=copy.incoming.wake, args=[copy.child])
    waking.start()
    copy.xl.settimeout(0.3)
    with pytest.raises(TimeoutError):
        copy.xl.recv(1)
    if is_mended:
        full.rmdir()
    copy.xl.settimeout(20)
    assert copy.xl.recv(1) == b""
    record = copies.read(tmp_path, "web1")
    assert (record is not None and record.phase == "taking-over") is is_mended
    copy.child.kill()
    waking.join()


def test_a_dead_xl_is_the_end_of_its_copy(copy: Copy) -> None:
    copy.gate.is_won = True
    copy.child.kill()
    wait_for(lambda: copy.decision is not None)
    assert copy.decision is not None
    assert "ended by itself" in copy.decision.reason
