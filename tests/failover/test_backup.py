"""The orders that a stream's transport gives to the guard, against a receiver that says what a test wants."""

import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from failover import backup, caller, guard_board, guard_store, peer
from failover.backup import Protection
from failover.clock import now_ns
from failover.guard_board import Board, Slot
from failover.guard_store import BackupOrder, Told
from failover.lease_settings import LeaseSettings
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings
from failover.wire import Session
from tests.waiting import wait_for

DOMAIN = DomainSettings("web1", ("a", "b"))


class Stream:
    """Host a's guard, receiver and heartbeat, as far as they are asked."""

    def __init__(self, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run_dir, self.checkpoints, self.held, self.asked = run_dir, 0, frozenset({"web1"}), 0
        self.board = Board(run_dir, "web1")
        lease = LeaseSettings(("http://127.0.0.1:1",), "c1")
        host, other = HostSettings("a", run_dir), PeerSettings("b", "127.0.0.1")
        self.settings = RemusSettings(host, peers=(other,), domains=(DOMAIN,), lease=lease)
        monkeypatch.setattr(caller, "call", self._call)
        monkeypatch.setattr(peer, "copies_held", lambda *_: self.held)
        monkeypatch.setattr("failover.backup._ASK_S", 0.01)
        monkeypatch.setattr("failover.backup._LOOK_S", 0.01)

    def tells(self, epoch: int, backup: str | None) -> None:
        self.board[Slot.GUARD_TICK] = now_ns()
        guard_store.tell(self.run_dir, Told("web1", 7, epoch, is_paused=False, reason="", backup=backup))

    def is_ordered(self, epoch: int) -> bool:
        """The copy, of a guard that knows of none in this epoch."""
        self.tells(epoch, "")
        return self.order() == (epoch, "copy")

    def order(self) -> tuple[int, str] | None:
        order = guard_store.backup_order(self.run_dir, "web1")
        return (order.epoch, order.mark) if isinstance(order, BackupOrder) else None

    def _call(self, *_: object) -> Any:
        self.asked += 1
        ours, theirs = socket.socketpair()
        theirs.close()
        return Session(ours, b"", is_caller=True), {"ok": True, "checkpoints": self.checkpoints}


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream:
    return Stream(tmp_path, monkeypatch)


def test_a_copy_is_named_from_its_second_checkpoint_on(stream: Stream) -> None:
    protection = Protection(stream.settings, DOMAIN, "copy")
    stream.tells(42, "")
    stream.checkpoints = 1
    protection.begin()
    wait_for(lambda: stream.asked > 3)
    assert stream.order() is None
    stream.checkpoints = 2
    wait_for(lambda: stream.is_ordered(42))
    protection.end()
    assert stream.order() == (0, "")


def test_the_receiver_is_not_asked_before_the_heartbeat_tells_of_a_copy(stream: Stream) -> None:
    stream.held, stream.checkpoints = frozenset(), 2
    protection = Protection(stream.settings, DOMAIN, "copy")
    protection.begin()
    stream.tells(42, "")
    protection.end()
    assert (stream.asked, stream.order()) == (0, (0, ""))


def test_it_is_named_again_in_another_epoch(stream: Stream) -> None:
    stream.checkpoints = 2
    protection = Protection(stream.settings, DOMAIN, "copy")
    protection.begin()
    for epoch in (42, 50):
        wait_for(partial(stream.is_ordered, epoch))
    protection.end()


def test_nothing_is_ordered_after_the_streams_end(stream: Stream) -> None:
    stream.checkpoints = 2
    protection = Protection(stream.settings, DOMAIN, "copy")
    protection.begin()
    wait_for(lambda: stream.is_ordered(42))
    protection.end()
    stream.tells(43, "")
    protection._order()  # as the thread may, which was about to
    assert stream.order() == (0, "")


@pytest.mark.parametrize("epoch", [0, 42])
def test_a_guard_that_knows_it_or_holds_nothing_is_told_nothing(stream: Stream, epoch: int) -> None:
    stream.tells(epoch, "copy" if epoch else None)
    Protection(stream.settings, DOMAIN, "copy")._order()
    assert stream.order() is None


def test_a_receiver_that_tells_no_mark(stream: Stream, caplog: pytest.LogCaptureFixture) -> None:
    Protection(stream.settings, DOMAIN, "").begin()
    assert "tells no mark" in caplog.text
    assert stream.asked == 0


def test_where_nothing_can_be_ordered_a_copy_may_still_take_over(stream: Stream) -> None:
    """Of which its guest does not stand still for ever: who settles goes on, and tells."""
    stream.tells(5, "")
    unwritable = guard_board.directory(stream.run_dir, "web1") / ".backup.new"
    unwritable.mkdir()
    assert not backup.forget(stream.settings, "web1")
    unwritable.rmdir()
    (guard_board.directory(stream.run_dir, "web1") / "state").write_text("nonsense")
    assert not backup.forget(stream.settings, "web1")
