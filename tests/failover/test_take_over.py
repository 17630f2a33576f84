"""An operator's word at a backup with a lease: the command, and a receiver that the test serves."""

import json
import logging
import select
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from failover import copies, take_over
from failover.lease_settings import LeaseSettings
from failover.orders import Orders
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings

STATUS = {"ok": True, "waits_for": "the lease is a's"}
OUTCOME = {"ok": True, "running": True}
LIMIT_S = 10.0


class Backup:
    """Host b, where the operator is."""

    def __init__(self, run_dir: Path, stack: ExitStack) -> None:
        copies.directory(run_dir, "web1").mkdir(parents=True)
        self.orders, self.is_complete = Orders(run_dir, "web1"), True
        stack.callback(self.orders.close)
        self._pool = stack.enter_context(ThreadPoolExecutor(1))
        lease, peers = LeaseSettings(("http://127.0.0.1:1",), "c1"), (PeerSettings("a", "127.0.0.1"),)
        domain = DomainSettings("web1", ("a", "b"))
        self.settings = RemusSettings(HostSettings("b", run_dir), peers=peers, domains=(domain,), lease=lease)

    def begins(self) -> "Future[int]":
        return self._pool.submit(take_over.run, self.settings, self.settings.domains[0])

    def serves(self) -> None:
        """Whoever speaks next."""
        for descriptor in select.select(self.orders.descriptors, [], [], LIMIT_S)[0]:
            self.orders.serve(descriptor, lambda: STATUS, is_complete=self.is_complete)


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Backup]:
    with ExitStack() as stack:
        yield Backup(tmp_path, stack)


def test_it_announces_and_tells_what_it_waits_for(
    backup: Backup, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An order would have the copy press for it when the operator has given up."""
    caplog.set_level(logging.INFO)
    outcome = backup.begins()
    while not (outcome.done() or "web1: waits: the lease is a's" in caplog.messages):
        backup.serves()
    assert backup.orders.is_announced(has_ended=False)
    assert not backup.orders.is_ordered
    backup.orders.answer(OUTCOME)
    assert outcome.result(LIMIT_S) == 0
    assert json.loads(capsys.readouterr().out) == {"act": "take-over", "domain": "web1", "host": "b", **OUTCOME}


def test_a_part_of_a_copy_takes_nothing(backup: Backup, capsys: pytest.CaptureFixture[str]) -> None:
    backup.is_complete = False
    outcome = backup.begins()
    backup.serves()
    backup.serves()
    assert outcome.result(LIMIT_S) == 1
    assert "the first full copy has not arrived" in json.loads(capsys.readouterr().out)["error"]
