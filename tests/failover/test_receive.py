import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from failover import copies, draining, receive
from failover.draining import NotDrained
from failover.lease_settings import LeaseSettings
from failover.orders import Orders
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings
from failover.wire import Session

KEY = b"0123456789abcdef"
STATUS = {"ok": True, "phase": "protected"}
OUTCOME = {"ok": True, "running": True}
LIMIT_S = 10.0


@pytest.fixture
def session() -> Iterator[Session]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Session(ours, KEY, is_caller=False)


def test_a_host_that_has_not_drained_takes_no_copy(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "xl"
    program.write_text("#!/bin/sh\necho 'Name ID Mem VCPUs State Time(s)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def is_open(guest: str) -> None:
        raise NotDrained(f"{guest}: /dev/loop3")

    monkeypatch.setattr(draining, "check", is_open)
    settings = leased(tmp_path / "run")
    with pytest.raises(NotDrained, match="web1: /dev/loop3"):
        receive._receive(settings, settings.domains[0], session)
    assert copies.read(tmp_path / "run", "web1") is None


@pytest.mark.parametrize("is_woken", [True, False])
def test_a_guest_is_handed_over_while_its_primary_waits(tmp_path: Path, is_woken: bool) -> None:
    """With a lease; an order would have the copy press for it long after the guest has gone on at the primary."""
    settings = leased(tmp_path)
    copies.directory(tmp_path, "web1").mkdir(parents=True)
    orders, (ours, theirs) = Orders(tmp_path, "web1"), socket.socketpair()
    primary = Session(theirs, KEY, is_caller=True)
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        session = Session(ours, KEY, is_caller=False)
        outcome = pool.submit(receive._take_over, settings, settings.domains[0], session)
        serve(orders)
        serve(orders)
        assert primary.hear(LIMIT_S) == STATUS
        primary.tell({"released": True})
        if is_woken:
            orders.answer(OUTCOME)
            assert primary.hear(LIMIT_S) == OUTCOME
        else:
            theirs.close()
        assert outcome.result(LIMIT_S) == int(not is_woken)
    assert not orders.is_ordered
    orders.close()


def leased(run_dir: Path) -> RemusSettings:
    """Of host b."""
    domain, lease = DomainSettings("web1", ("a", "b")), LeaseSettings(("http://127.0.0.1:1",), "c1")
    peers = (PeerSettings("a", "127.0.0.1"),)
    return RemusSettings(HostSettings("b", run_dir), peers=peers, domains=(domain,), lease=lease)


def serve(orders: Orders) -> None:
    """Whoever speaks next."""
    for descriptor in select.select(orders.descriptors, [], [], LIMIT_S)[0]:
        orders.serve(descriptor, lambda: STATUS, is_complete=True)
