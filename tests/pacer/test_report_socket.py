"""Reports to a socket that is absent, comes, is full, goes and comes back: replication takes no notice."""

import time
from functools import partial
from itertools import pairwise
from pathlib import Path

from agent.inbox import Inbox
from agent.reports import MAX_BYTES, Checkpoint, parse
from tests.pacer.conftest import Start
from tests.pacer.replication import MS, eventually


def received(inbox: Inbox) -> list[bytes]:
    return list(inbox.read(MAX_BYTES))


def test_an_agent_that_comes_late_and_comes_back_gets_reports(start: Start) -> None:
    replication = start(listening=False)
    replication.await_ns("commit", count=3)  # its directory was made by the pacer
    assert replication.directory.stat().st_mode & 0o777 == 0o700
    for _ in range(3):
        with Inbox(replication.directory / "report.sock") as inbox:
            reports = eventually(partial(received, inbox), "reports")
        assert isinstance(parse(reports[0]), Checkpoint)
        replication.await_after_ns("commit", time.monotonic_ns())


def test_an_agent_that_does_not_read_holds_nothing_up(start: Start) -> None:
    replication = start(environment={"HEFERY_PACER_PROTECTIVE_MS": "1", "STAND_IN_PAUSE_MS": "0"})
    commits_ns = replication.await_ns("commit", count=1500)
    taken = len(replication.checkpoints())
    assert 0 < taken < 1500  # the kernel's queue was full all the time
    assert max(b - a for a, b in pairwise(commits_ns)) < 500 * MS
    eventually(lambda: len(replication.checkpoints()) > taken, "reports once there is room again")


def test_a_path_too_long_for_a_socket_costs_the_reports_alone(start: Start, tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    replication = start(interval_ms=20_000, environment={"HEFERY_PACER_DIRECTORY": str(directory)})
    replication.await_ns("commit", count=3)
    assert "too long for a socket" in replication.said()
    assert replication.reports() == []
