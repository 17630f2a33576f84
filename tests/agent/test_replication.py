import math
import re
from statistics import fmean

import pytest

from agent.replication import Happening, Replication
from agent.reports import Applied, Checkpoint, Ended
from telemetry.point import Value
from tests.agent.pacer_log import LOG, reports

TEN = Checkpoint(sequence=3, interval_ms=200.0, period_ms=400.0, pause_ms=100.0, send_ms=5.0)


def replayed() -> tuple[list[dict[str, Value | None]], list[Happening], Replication, float]:
    """The log summed up every second."""
    told = list(reports())
    start_s = math.floor(told[0][0])
    replication, fields, happenings, tick_s = Replication(start_s), [], [], start_s + 1
    for at_s, report in told:
        while at_s >= tick_s:
            happenings.append(replication.check(tick_s, runs_here=True))
            fields.append(dict(replication.sum_up(tick_s, runs_here=True)))
            tick_s += 1
        happenings.append(replication.take(report, at_s))
    return fields, [happening for happening in happenings if happening], replication, told[-1][0]


def commits(start_s: float, stop_s: float) -> list[tuple[float, float]]:
    """Pause and send times of the log's lines in [start, stop), read by another expression than the replay's."""
    rows = re.findall(r"^(\S+) commit.*pause<=(\S+) send_ack=(\S+)", LOG.read_text(), re.MULTILINE)
    return [(float(pause), float(send)) for at, pause, send in rows if start_s <= float(at) < stop_s]


def test_sums_up_a_real_run_second_by_second() -> None:
    fields, *_ = replayed()
    start_s = 1795400404.0
    for second, summed in enumerate(fields[2:40], start=2):
        seen = commits(start_s + second, start_s + second + 1)
        assert summed["rate_per_s"] == len(seen)
        if seen:
            assert summed["pause_ms"] == pytest.approx(fmean(pause for pause, _ in seen))
            assert summed["pause_max_ms"] == max(pause for pause, _ in seen)
            assert summed["send_ms"] == pytest.approx(fmean(send for _, send in seen))
        assert summed["protected"] is True


def test_follows_the_interval_through_a_real_run_without_a_false_alarm() -> None:
    fields, happenings, *_ = replayed()
    intervals = [summed["interval_ms"] for summed in fields]
    assert list(dict.fromkeys(intervals)) == [200.0, 25.0, 100.0, 500.0, 1000.0]
    assert intervals[-1] == 200.0
    assert [happening.kind for happening in happenings] == ["protected", *["applied"] * 5]
    assert happenings[1].text == "order 1: 25 ms in force after 0.1 ms"


def test_the_guest_ran_what_its_pauses_left() -> None:
    _, _, replication, end_s = replayed()
    replication.sum_up(end_s, runs_here=True)
    both = [r for at, r in reports() if isinstance(r, Checkpoint) and at >= math.floor(end_s)]
    pauses, periods = sum(r.pause_ms or 0 for r in both), sum(r.period_ms or 0 for r in both)
    assert replication.ran_share == pytest.approx(1 - pauses / periods)


def test_checkpoints_protect_nothing_before_and_after_the_copy_may_take_over() -> None:
    replication = Replication(0.0)
    assert replication.take(TEN, 1.0, has_backup=False) is None
    assert replication.sum_up(1.5, runs_here=True)["protected"] is False
    assert replication.take(TEN, 2.0, has_backup=True) == Happening("protected", "checkpoints every 200 ms")
    lost = Happening("unprotected", "checkpoints go on, but no copy may take over")
    assert replication.take(TEN, 3.0, has_backup=False) == lost
    assert replication.take(TEN, 4.0, has_backup=False) is None
    assert replication.sum_up(4.5, runs_here=True)["protected"] is False


def test_silence_is_told_once_and_the_next_checkpoint_too() -> None:
    replication = Replication(0.0)
    assert replication.take(TEN, 1.0) == Happening("protected", "checkpoints every 200 ms")
    assert replication.check(4.0, runs_here=True) is None
    assert replication.check(4.5, runs_here=True) == Happening("unprotected", "no checkpoint was reported for 3.5 s")
    assert replication.check(7.0, runs_here=True) is None
    assert replication.sum_up(7.5, runs_here=True)["protected"] is False
    assert replication.ran_share is None
    assert replication.take(TEN, 9.0) == Happening("protected", "checkpoints every 200 ms")
    assert replication.sum_up(9.5, runs_here=True)["protected"] is True


@pytest.mark.parametrize(
    ("checkpoint", "then", "alarm_after_s"),
    [
        (TEN, None, 3.4),
        (Checkpoint(0, 8000.0, 8500.0, None, None), None, 11.5),
        (Checkpoint(0, 25.0, 8500.0, None, None), None, 11.5),
        (TEN, Applied(1, 8000.0, 0.1), 11.0),
        (Checkpoint(0, 8000.0, 8500.0, None, None), Applied(1, 25.0, 0.1), 11.5),
    ],
    ids=["short", "long", "as measured", "longer order", "shorter order: its first period is still long"],
)
def test_how_long_silence_may_last(checkpoint: Checkpoint, then: Applied | None, alarm_after_s: float) -> None:
    replication = Replication(0.0)
    replication.take(checkpoint, 0.0)
    if then:
        replication.take(then, 0.0)
    assert replication.check(alarm_after_s, runs_here=True) is None
    assert replication.check(alarm_after_s + 0.1, runs_here=True) is not None


def test_an_end_is_told_with_its_reason_and_no_silence_after_it() -> None:
    replication = Replication(0.0)
    replication.take(TEN, 1.0)
    assert replication.take(Ended("backup failed"), 2.0) == Happening("ended", "backup failed")
    assert replication.check(60.0, runs_here=True) is None
    summed = replication.sum_up(60.0, runs_here=True)
    assert (summed["protected"], summed["interval_ms"]) == (False, None)


def test_nothing_is_claimed_before_the_first_report_for_half_a_minute() -> None:
    replication = Replication(0.0)
    assert replication.check(30.0, runs_here=True) is None
    assert replication.sum_up(30.0, runs_here=True) == {}
    assert replication.check(30.5, runs_here=True) is not None
    assert replication.sum_up(31.0, runs_here=True)["protected"] is False


def test_a_domain_that_runs_elsewhere_owes_no_checkpoints() -> None:
    replication = Replication(0.0)
    assert replication.check(100.0, runs_here=False) is None
    assert replication.sum_up(100.0, runs_here=False) == {}
    assert replication.check(120.0, runs_here=True) is None  # it has just taken over
    assert replication.check(131.0, runs_here=True) is not None


def test_that_a_domain_left_unprotected_is_told_once() -> None:
    replication = Replication(0.0)
    replication.take(TEN, 1.0)
    replication.take(Ended("failover"), 2.0)
    assert replication.sum_up(3.0, runs_here=False)["protected"] is False
    assert replication.sum_up(4.0, runs_here=False) == {}


def test_a_period_without_a_checkpoint_has_rate_0_and_keeps_the_interval() -> None:
    replication = Replication(0.0)
    replication.take(TEN, 0.5)
    assert replication.sum_up(1.0, runs_here=True)["rate_per_s"] == 1.0
    summed = replication.sum_up(3.0, runs_here=True)
    assert (summed["rate_per_s"], summed["interval_ms"], summed["pause_max_ms"]) == (0.0, 200.0, None)
    assert replication.ran_share == pytest.approx(0.75)


def test_contradictory_pauses_never_give_a_negative_share() -> None:
    replication = Replication(0.0)
    replication.take(Checkpoint(0, 25.0, 100.0, 150.0, 1.0), 0.5)
    replication.sum_up(1.0, runs_here=True)
    assert replication.ran_share == 0.0
