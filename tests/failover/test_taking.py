"""How a guest is handed over with a lease: the primary's call, and a receiver that the test serves."""

import select
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from failover import copies, taking
from failover.lease_settings import FenceSettings, LeaseSettings
from failover.orders import Orders
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings
from failover.wire import Session

KEY = b"0123456789abcdef"
READY = {"ok": True, "phase": "protected", "stream_ended": False, "waits_for": "the lease is a's", "ready": True}
NOT_YET = {**READY, "waits_for": "the fence does not answer", "ready": False}
OUTCOME = {"ok": True, "running": True}
FENCE_LIMIT_S = 0.1
LIMIT_S = 10.0


class Backup:
    """Host b, whose receiver answers what `status` is."""

    def __init__(self, run_dir: Path, stack: ExitStack) -> None:
        copies.directory(run_dir, "web1").mkdir(parents=True)
        self.orders, self.status = Orders(run_dir, "web1"), READY
        stack.callback(self.orders.close)
        ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
        self.primary = Session(theirs, KEY, is_caller=True)
        settings = _settings(run_dir)
        pool = stack.enter_context(ThreadPoolExecutor(1))
        stack.callback(theirs.close)  # first, as who serves it may wait for the primary
        session = Session(ours, KEY, is_caller=False)
        self.outcome: Future[int] = pool.submit(taking.serve, settings, settings.domains[0], session)

    def serve(self) -> None:
        """Whoever speaks next, if anybody does soon."""
        for descriptor in select.select(self.orders.descriptors, [], [], FENCE_LIMIT_S)[0]:
            self.orders.serve(descriptor, lambda: self.status, is_complete=True)

    def hears(self) -> Mapping[str, object]:
        """What the primary does, while the receiver is served."""
        while not select.select([self.primary.connection], [], [], 0)[0]:
            self.serve()
        return self.primary.hear(LIMIT_S)


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Backup]:
    with ExitStack() as stack:
        yield Backup(tmp_path, stack)


@pytest.mark.parametrize("is_woken", [True, False])
def test_a_guest_is_handed_over_while_its_primary_waits(backup: Backup, is_woken: bool) -> None:
    """An order would have the copy press for it long after the guest has gone on at the primary."""
    assert backup.hears() == READY
    backup.primary.tell({"released": True})
    if is_woken:
        backup.orders.answer(OUTCOME)
        assert backup.primary.hear(LIMIT_S) == OUTCOME
    else:
        backup.primary.connection.close()
    assert backup.outcome.result(LIMIT_S) == int(not is_woken)
    assert not backup.orders.is_ordered


def test_the_primary_hears_of_a_copy_that_could_follow_once_it_could(backup: Backup) -> None:
    backup.status = NOT_YET
    backup.serve()
    backup.serve()
    assert backup.orders.is_announced(has_ended=False)
    backup.status = READY
    assert backup.hears() == READY


@pytest.mark.parametrize("status", [NOT_YET, {**NOT_YET, "stream_ended": True}])
def test_a_copy_that_could_not_follow_is_not_waited_for_long(backup: Backup, status: Mapping[str, object]) -> None:
    backup.status = dict(status)
    assert backup.hears() == status
    assert backup.outcome.result(LIMIT_S) == 1


def _settings(run_dir: Path) -> RemusSettings:
    """Of host b."""
    domain, lease = DomainSettings("web1", ("a", "b")), LeaseSettings(("http://127.0.0.1:1",), "c1")
    fence = FenceSettings(("fence",), FENCE_LIMIT_S)
    peers = (PeerSettings("a", "127.0.0.1"),)
    return RemusSettings(HostSettings("b", run_dir), peers=peers, domains=(domain,), lease=lease, fence=fence)
