"""Orders that change while a replication runs, and what becomes of its checkpoints."""

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from agent.reports import Applied, Checkpoint
from tests.pacer.conftest import Start
from tests.pacer.replication import MS, PROTECTIVE_MS, Replication, S, eventually

SLACK_NS = 250 * MS  # of a machine that is busy with other tests
LIBXLS = ("4.17", "2.0")


def waits_ns(replication: Replication) -> list[int]:
    """From each commit to the next checkpoint's begin."""
    begun = replication.times_ns("suspend")[1:]
    return [begin - commit for commit, begin in zip(replication.times_ns("commit"), begun, strict=False)]


@pytest.mark.parametrize("libxl", LIBXLS)
def test_without_an_order_checkpoints_follow_at_the_protective_interval(start: Start, libxl: str) -> None:
    replication = start(interval_ms=5000, libxl=libxl)
    replication.await_ns("commit", count=8)
    waits = waits_ns(replication)
    assert min(waits) >= PROTECTIVE_MS * MS
    assert sorted(waits)[len(waits) // 2] < PROTECTIVE_MS * MS + SLACK_NS / 10
    assert {(c.sequence, c.interval_ms) for c in replication.checkpoints()} == {(0, PROTECTIVE_MS)}


@pytest.mark.parametrize("libxl", LIBXLS)
def test_an_order_lengthens_the_interval_for_the_wait_under_way(start: Start, libxl: str) -> None:
    replication = start(libxl=libxl)
    replication.await_ns("commit", count=3)
    replication.order(500, sequence=7)
    assert replication.await_applied()[0].interval_ms == 500
    applied_ns = time.monotonic_ns()
    commit_ns = replication.await_after_ns("commit", applied_ns)
    begin_ns = replication.await_after_ns("suspend", commit_ns)
    assert 500 * MS <= begin_ns - commit_ns < 500 * MS + SLACK_NS
    assert replication.applied() == [Applied(7, 500.0, replication.applied()[0].latency_ms)]
    assert replication.applied()[0].latency_ms < SLACK_NS / MS


@pytest.mark.parametrize("libxl", LIBXLS)
def test_a_shorter_order_ends_the_wait_under_way(start: Start, libxl: str) -> None:
    replication = start(libxl=libxl)
    replication.order(20_000)
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    eventually(lambda: time.monotonic_ns() > commit_ns + 200 * MS, "the wait to be long under way")
    ordered_ns = replication.order(100, sequence=2)
    begin_ns = replication.await_after_ns("suspend", commit_ns)
    assert ordered_ns < begin_ns < ordered_ns + SLACK_NS


def test_a_shorter_order_early_in_a_wait_waits_for_the_rest_of_it(start: Start) -> None:
    replication = start()
    replication.order(20_000)
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    replication.order(800, sequence=2)
    begin_ns = replication.await_after_ns("suspend", commit_ns)
    assert 800 * MS <= begin_ns - commit_ns < 800 * MS + SLACK_NS


@pytest.mark.parametrize("libxl", LIBXLS)
def test_an_order_ends_at_its_deadline(start: Start, libxl: str) -> None:
    replication = start(libxl=libxl)
    deadline_ns = replication.order(20_000, for_s=0.6) + 600 * MS
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    begin_ns = replication.await_after_ns("suspend", commit_ns)
    assert deadline_ns <= begin_ns < deadline_ns + SLACK_NS
    lapsed = replication.await_applied(count=2)[1]
    assert (lapsed.sequence, lapsed.interval_ms) == (0, PROTECTIVE_MS)


def test_an_order_too_far_ahead_stands_from_60_s_before_its_deadline(start: Start) -> None:
    replication = start()
    begins_ns = replication.order(300, for_s=60.5) + 500 * MS
    replication.await_applied()
    assert begins_ns <= time.monotonic_ns() < begins_ns + SLACK_NS


@pytest.mark.parametrize("spoil", ["removed", "garbage", "truncated", "pipe", "link", "directory"])
def test_an_order_that_is_spoilt_ends_at_once(start: Start, spoil: str) -> None:
    replication = start()
    replication.order(20_000)
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    eventually(lambda: time.monotonic_ns() > commit_ns + PROTECTIVE_MS * MS, "the protective interval to pass")
    path = replication.directory / "order"
    good = path.read_text()
    spoilt_ns = time.monotonic_ns()
    if spoil in {"garbage", "truncated"}:
        path.write_text("2000\n" if spoil == "garbage" else good[:-1])
    else:
        path.unlink()
    if spoil == "pipe":
        os.mkfifo(path)
    elif spoil == "link":
        (replication.directory / "other").write_text(good)
        path.symlink_to("other")
    elif spoil == "directory":
        path.mkdir()
    assert spoilt_ns < replication.await_after_ns("suspend", commit_ns) < spoilt_ns + SLACK_NS
    assert replication.await_applied(count=2)[1].interval_ms == PROTECTIVE_MS


def test_renewed_orders_of_one_interval_are_applied_once(start: Start) -> None:
    replication = start()
    for sequence in range(1, 20):
        replication.order(60, sequence=sequence)
        replication.await_after_ns("commit", time.monotonic_ns())
    assert len(replication.applied()) == 1
    eventually(lambda: replication.checkpoints()[-1].sequence == 19, "the last sequence in a report")


def test_an_order_is_never_shorter_than_the_protective_interval(start: Start) -> None:
    replication = start(environment={"HEFERY_PACER_PROTECTIVE_MS": "80"})
    replication.order(10, sequence=3)
    eventually(lambda: any(c.sequence == 3 for c in replication.checkpoints()), "a checkpoint by the order")
    replication.await_ns("commit", count=6)
    assert min(waits_ns(replication)) >= 80 * MS
    assert replication.applied() == []


def test_a_directory_that_comes_back_is_followed_again(start: Start) -> None:
    replication = start()
    replication.order(20_000)
    replication.await_applied()
    commit_ns = replication.await_ns("commit")[-1]
    gone_ns = time.monotonic_ns()
    replication.vanish()
    begin_ns = replication.await_after_ns("suspend", commit_ns)
    assert begin_ns < gone_ns + SLACK_NS
    back_ns = replication.order(400, sequence=2)
    eventually(
        lambda: any(a > back_ns and b - a > 400 * MS for a, b in pairwise(replication.times_ns("commit"))),
        "the order in the new directory to be followed",
    )


def test_reports_measure_period_pause_and_sending(start: Start) -> None:
    replication = start(environment={"STAND_IN_PAUSE_MS": "40", "STAND_IN_SEND_MS": "15"})
    replication.await_ns("commit", count=10)
    first, *rest = replication.checkpoints()[:10]
    assert first == Checkpoint(0, PROTECTIVE_MS, None, None, None)
    commits = replication.times_ns("commit")
    for report, (a_ns, b_ns) in zip(rest, pairwise(commits), strict=False):
        assert report.period_ms == pytest.approx((b_ns - a_ns) / MS, abs=20.0)
        assert report.period_ms is not None
        assert report.pause_ms is not None
        assert report.send_ms is not None
        assert report.pause_ms >= 40.0
        assert report.send_ms >= 15.0
        assert report.period_ms >= report.pause_ms + report.send_ms + PROTECTIVE_MS


def test_memory_and_descriptors_do_not_grow(start: Start) -> None:
    replication = start(
        delivered=True,
        environment={"HEFERY_PACER_PROTECTIVE_MS": "1", "STAND_IN_PAUSE_MS": "0", "STAND_IN_SEND_MS": "0"},
    )

    def footprint() -> tuple[int, int]:
        process = Path("/proc") / str(replication.process.pid)
        return int((process / "statm").read_text().split()[1]), len(list((process / "fd").iterdir()))

    replication.await_ns("commit", count=500)
    before = footprint()
    for sequence in range(300):
        replication.order(1 + sequence % 2, sequence=sequence)
        replication.reports()
        replication.await_after_ns("commit", time.monotonic_ns())
    replication.await_ns("commit", count=3000)
    pages, descriptors = footprint()
    assert pages <= before[0] + 4
    assert descriptors == before[1]


def test_five_seconds_of_changes_at_random_keep_every_wait(start: Start) -> None:
    replication = start()
    end_ns = time.monotonic_ns() + 5 * S
    sequence = 0
    while time.monotonic_ns() < end_ns:
        sequence += 1
        replication.order(25 + 37 * sequence % 400, sequence=sequence)
        replication.reports()
        time.sleep(0.003 * (sequence % 11))
    assert replication.process.poll() is None
    assert min(waits_ns(replication)) >= PROTECTIVE_MS * MS
    replication.stop()
