"""Pacing a libxl that waits in usleep(), as Xen 4.2's: only that wait is ours, and every way to end."""

import signal
import time

from agent.reports import Ended
from tests.pacer.conftest import Start
from tests.pacer.replication import MS


def test_its_other_sleeps_are_left_alone(start: Start) -> None:
    replication = start(interval_ms=100, libxl="2.0", environment={"STAND_IN_PAUSE_MS": "100"})
    replication.await_ns("commit", count=5)
    pauses = zip(replication.times_ns("suspend"), replication.times_ns("resume"), strict=False)
    assert min(resume - suspend for suspend, resume in pauses) >= 100 * MS
    assert len(replication.checkpoints()) <= len(replication.times_ns("commit"))


def test_a_signal_between_checkpoints_ends_it_with_the_guest_running(start: Start) -> None:
    replication = start(libxl="2.0")
    replication.order(20_000)
    replication.await_applied()
    replication.await_ns("commit")
    asked_ns = time.monotonic_ns()
    assert replication.stop() == Ended("xl was asked to end, by signal 15")
    assert time.monotonic_ns() < asked_ns + 1000 * MS
    assert replication.process.returncode == -signal.SIGTERM


def test_a_signal_during_a_checkpoint_waits_for_its_commit(start: Start) -> None:
    replication = start(libxl="2.0", environment={"STAND_IN_PAUSE_MS": "600"})
    replication.await_ns("suspend")
    replication.stop()
    assert len(replication.times_ns("commit")) == 1
    assert len(replication.times_ns("resume")) == len(replication.times_ns("suspend"))


def test_a_lost_backup_is_noticed_in_mid_wait(start: Start) -> None:
    replication = start(libxl="2.0")
    replication.order(20_000)
    replication.await_applied()
    replication.await_ns("commit")
    replication.lose_backup()
    assert replication.finish() == Ended("backup lost: nobody reads the stream any more")
    assert replication.times_ns("guest-runs") != []
