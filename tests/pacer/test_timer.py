"""Pacing a libxl that waits in its event loop: its own timeouts, the wall clock, and every way to end."""

import signal
import time

import pytest

from agent.reports import Ended
from tests.pacer.conftest import Start
from tests.pacer.replication import MS, PROTECTIVE_MS, Replication, eventually


@pytest.mark.parametrize("step_s", [86400, -86400])
def test_a_step_of_the_wall_clock_ends_no_suspend_and_no_wait(start: Start, step_s: int) -> None:
    replication = start(environment={"STAND_IN_PAUSE_MS": "300", "STAND_IN_STEP_S": str(step_s)})
    replication.order(600)
    replication.await_applied()
    commit_ns = replication.await_after_ns("commit", time.monotonic_ns())
    suspend_ns = replication.await_after_ns("suspend", commit_ns)
    replication.process.send_signal(signal.SIGUSR1)
    commit_ns = replication.await_after_ns("commit", suspend_ns)
    assert 600 * MS <= replication.await_after_ns("suspend", commit_ns) - commit_ns < 900 * MS
    replication.await_after_ns("commit", commit_ns)
    assert replication.times_ns("timed-out") == []


def test_a_step_of_the_wall_clock_during_a_wait_changes_nothing(start: Start) -> None:
    replication = start(environment={"STAND_IN_STEP_S": "86400"})
    replication.order(1000)
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    replication.process.send_signal(signal.SIGUSR1)
    assert 1000 * MS <= replication.await_after_ns("suspend", commit_ns) - commit_ns < 1300 * MS


def test_a_guest_that_does_not_suspend_is_given_up_by_libxl_in_time(start: Start) -> None:
    replication = start(environment={"STAND_IN_PAUSE_MS": "60000", "STAND_IN_SUSPEND_TIMEOUT_MS": "400"})
    assert replication.finish() == Ended("the guest did not suspend in time")
    waited_ns = replication.times_ns("timed-out")[0] - replication.times_ns("suspend")[0]
    assert 400 * MS <= waited_ns < 700 * MS


def test_a_lost_backup_is_noticed_in_mid_wait_and_the_guest_runs_on(start: Start) -> None:
    replication = start()
    replication.order(20_000)
    replication.await_applied()
    replication.await_ns("commit")
    lost_ns = replication.lose_backup()
    assert replication.finish() == Ended("backup lost: nobody reads the stream any more")
    assert replication.times_ns("end")[0] < lost_ns + 400 * MS
    assert replication.times_ns("guest-runs") != []
    assert "Backup failed? resuming domain" in replication.said()


def test_a_stream_that_fails_on_this_side_is_told_apart(start: Start) -> None:
    replication = start(environment={"STAND_IN_FAIL_AFTER": "4"})
    assert replication.finish() == Ended("libxl ended it with code 0, see its messages")
    assert len(replication.times_ns("commit")) == 3
    assert replication.times_ns("guest-runs") != []


def test_a_destroyed_domain_is_told(start: Start) -> None:
    replication = start(environment={"STAND_IN_GONE": "1", "STAND_IN_FAIL_AFTER": "3"})
    assert replication.finish() == Ended("the domain is gone")
    assert replication.process.returncode == 0


@pytest.mark.parametrize("how", ["STAND_IN_GONE", "STAND_IN_DYING"])
def test_a_guest_that_is_gone_while_it_is_to_suspend_is_not_waited_for(start: Start, how: str) -> None:
    replication = start(environment={how: "1", "STAND_IN_PAUSE_MS": "60000"})
    suspend_ns = replication.await_ns("suspend")[0]
    assert replication.finish() == Ended("the domain is gone")
    assert time.monotonic_ns() - suspend_ns < 3000 * MS


def test_a_guest_that_is_slow_to_suspend_is_waited_for(start: Start) -> None:
    replication = start(environment={"STAND_IN_PAUSE_MS": "2500"})
    suspend_ns = replication.await_ns("suspend")[0]
    assert replication.await_after_ns("commit", suspend_ns) - suspend_ns >= 2500 * MS


def test_a_libxl_that_exits_is_an_end_too(start: Start) -> None:
    replication = start(environment={"STAND_IN_EXIT_AFTER": "3"})
    assert replication.finish() == Ended("xl exited in the middle of it")
    assert replication.process.returncode == 255


def test_a_start_that_fails_is_an_end_too(start: Start) -> None:
    replication = start(environment={"STAND_IN_NO_START": "1"})
    assert replication.finish() == Ended("libxl ended it with code -6, see its messages")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_mid_wait_ends_it_at_once(start: Start, number: signal.Signals) -> None:
    replication = start()
    replication.order(20_000)
    replication.await_applied()
    replication.await_ns("commit")
    asked_ns = time.monotonic_ns()
    assert replication.stop(number) == Ended(f"xl was asked to end, by signal {number.value}")
    assert replication.times_ns("guest-runs")[0] < asked_ns + 400 * MS


def test_a_signal_while_the_guest_stands_still_waits_until_it_runs(start: Start) -> None:
    replication = start(environment={"STAND_IN_PAUSE_MS": "700"})
    replication.await_ns("suspend")
    replication.stop()
    assert [what for what, _ in replication.trace()] == ["start", "suspend", "resume", "guest-runs"]
    assert replication.times_ns("resume")[0] >= replication.times_ns("suspend")[0] + 700 * MS


def test_a_signal_does_not_wait_for_a_long_first_copy(start: Start) -> None:
    replication = start(environment={"STAND_IN_FIRST_COPY_MS": "60000"})
    replication.await_ns("start")
    eventually(lambda: "pacing domain" in replication.said(), "the pacer")
    replication.stop()
    assert [what for what, _ in replication.trace()] == ["start", "guest-runs"]


def test_the_transport_gets_no_preload(start: Start) -> None:
    replication = start(transport='echo "preload:${LD_PRELOAD-none}" >&2; exec cat >/dev/null')
    replication.await_ns("commit")
    eventually(lambda: "preload:none" in replication.said(), "the transport's environment")


def test_without_a_context_xl_keeps_to_its_own_interval(start: Start) -> None:
    replication = start(interval_ms=300, environment={"STAND_IN_NO_CONTEXT": "1"})
    check_unpaced(replication, 300)


def check_unpaced(replication: Replication, interval_ms: int) -> None:
    """It runs at xl's -i whatever the order says, tells the agent nothing, and says so in one line."""
    replication.order(PROTECTIVE_MS)
    commits = replication.await_ns("commit", count=4)
    begun = replication.times_ns("suspend")
    assert min(begin - commit for commit, begin in zip(commits, begun[1:], strict=False)) >= interval_ms * MS
    assert replication.reports() == []
    (line,) = [line for line in replication.said().splitlines() if "keeps to its own -i" in line]
    assert line.startswith("hefery-pacer: ")
