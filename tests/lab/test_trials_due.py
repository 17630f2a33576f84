"""When the protective interval was due and when it came: excerpts of the lab's own logs, and ways to be late."""

import pytest

from agent.order import Order
from lab.trials import due
from lab.trials.due import Back, Look
from lab.trials.parts.doubt import judge
from lab.trials.reports import Told, read
from telemetry.units import NS_PER_S

GARBLED = """\
1796005148306705484 {"ns": 1203737186449, "listening": "/run/hefery/web1"}
1796005149417630188 {"ns": 1204851523502, "report": {"version": 1, "kind": "checkpoint", "sequence": 1203736, \
"interval_ms": 500, "period_ms": 757.963, "pause_ms": 227.175, "send_ms": 25.863}}
1796005150294924450 {"ns": 1205712935261, "report": {"version": 1, "kind": "checkpoint", "sequence": 1203736, \
"interval_ms": 500, "period_ms": 855.38, "pause_ms": 345.945, "send_ms": 7.879}}
1796005150386342145 {"ns": 1205816180273, "ordered": 1203737}
1796005150550110579 {"ns": 1205828922504, "report": {"version": 1, "kind": "applied", "sequence": 0, \
"interval_ms": 25, "latency_ms": 0.706}}
"""
KILLED = """\
1796035941602354983 {"ns": 813329015505, "listening": "/run/hefery/web1"}
1796035947618262929 {"ns": 819330557526, "report": {"version": 1, "kind": "checkpoint", "sequence": 1796035938000, \
"interval_ms": 500, "period_ms": 578.376, "pause_ms": 75.567, "send_ms": 2.298}}
1796035948238899797 {"ns": 819967313552, "report": {"version": 1, "kind": "checkpoint", "sequence": 1796035938000, \
"interval_ms": 500, "period_ms": 636.738, "pause_ms": 124.442, "send_ms": 11.654}}
1796035948265376541 {"ns": 819993403916, "report": {"version": 1, "kind": "applied", "sequence": 0, \
"interval_ms": 25, "latency_ms": 0.374}}
"""
KILLED_NS = 1796035939_000000000
DEADLINE_NS = 819_728000000
STOOD = Order(1796035938000, 500, DEADLINE_NS)


def later(log: str, by_s: float) -> list[Told]:
    """The log with its last line so much later."""
    *before, last = read(log)
    by_ns = round(by_s * NS_PER_S)
    return [*before, Told(last.arrived_ns + by_ns, last.sent_ns + by_ns, last.what)]


def test_an_order_that_is_gone_is_late_from_when_it_went() -> None:
    back = due.at_once(read(GARBLED), 1203737)
    assert back == Back(0.012742231, 0.012742231, 0.353824)
    assert judge("order garbled", back) == ()


@pytest.mark.parametrize("by_s", [1.4, 8.0, 59.0])
def test_a_pacer_that_waits_for_its_next_checkpoint_or_out_the_time_to_live_is_late(by_s: float) -> None:
    (told,) = judge("order garbled", due.at_once(later(GARBLED, by_s), 1203737))[:1]
    assert "after it was due, not within 1.35" in told


def test_what_was_protective_before_the_order_was_taken_away_tells_nothing() -> None:
    told = read(GARBLED)
    assert due.at_once([told[-1], *told[:-1]], 1203737).after_s is None
    assert judge("order deleted", due.at_once(told[:-1], 1203737)) == ("the interval did not become protective",)


def test_a_dead_agents_order_is_due_at_its_own_deadline() -> None:
    back = due.at_deadline(read(KILLED), KILLED_NS, STOOD)
    assert back == Back(9.265376541, 0.265403916, 0.136096)
    assert judge("agent killed", back) == ()
    late = due.at_deadline(later(KILLED, 1.0), KILLED_NS, STOOD)
    assert judge("agent killed", late) == (f"it came {late.late_s} s after it was due, not within 1.14",)


def test_an_order_that_stands_longer_than_its_decision_is_told() -> None:
    too_long = Order(STOOD.sequence, 500, DEADLINE_NS + 4 * NS_PER_S)
    back = due.at_deadline(later(KILLED, 4.0), KILLED_NS, too_long)
    assert back.late_s is not None
    assert back.late_s < 1
    assert judge("agent killed", back) == (f"it came {back.after_s} s after the fault, and a decision stands for 10",)


def test_a_probe_that_comes_after_the_deadline_is_not_the_pacers_lateness() -> None:
    """Nor is how much later it came an order that stood for too long."""
    *_, last = later(KILLED, 9.0)
    listening = Told(last.arrived_ns, last.sent_ns - 1000, None)
    back = due.at_deadline([listening, last], KILLED_NS, STOOD)
    assert back.late_s == pytest.approx(0, abs=1e-5)
    assert judge("agent killed", back) == ()


@pytest.mark.parametrize("order", [None, Order(1, 25, DEADLINE_NS)])
def test_without_an_order_to_run_out_nothing_was_tried(order: Order | None) -> None:
    back = due.at_deadline(read(KILLED), KILLED_NS, order)
    assert judge("agent killed", back) == ("no order of a longer interval stood",)


REPLICATION = '{"version": 1, "until_monotonic_ns": 5, "interval_ms": 500.0, "pause_max_ms": 110.5, "send_ms": 9.5}\n'


def test_a_look_shows_order_and_replication_where_they_are_there() -> None:
    assert Look.of(STOOD.encode() + REPLICATION) == Look(STOOD, 500.0, 0.12)
    assert Look.of(REPLICATION) == Look(None, 500.0, 0.12)
    assert Look.of(STOOD.encode()) == Look(STOOD, None, 0.0)
    assert Look.of("") == Look(None, None, 0.0)


def seen(*deadlines_s: float) -> list[Look]:
    """Orders that followed each other, and then the one that a governor has withdrawn."""
    longer = [Look(Order(n, 500, round(s * NS_PER_S)), 500.0, 0.1) for n, s in enumerate(deadlines_s)]
    return [*longer, Look(Order(9, 25, round(deadlines_s[-1] * NS_PER_S)), 25.0, 0.2)]


@pytest.mark.parametrize(
    ("event_s", "deadlines_s", "late_s", "told"),
    [
        (9.0, (7.0, 8.5), 0.5, ""),
        (11.0, (7.0, 8.5), 2.5, ""),
        (11.5, (7.0, 8.5), 3.0, "after it was due, not within 2.70"),
        (13.0, (7.0, 12.5), 0.5, "a decision stands for 10"),
        (6.0, (7.0, 8.5), -2.5, ""),
    ],
)
@pytest.mark.parametrize("case", ["predictor killed", "store down"])
def test_an_agents_event_is_due_at_the_deadline_of_the_last_order(
    case: str, event_s: float, deadlines_s: tuple[float, ...], late_s: float, told: str
) -> None:
    """Seconds of the monotonic clock, which the fault began."""
    wall_ahead_ns = 1_796_000_000 * NS_PER_S
    back = due.by_event(round(event_s * NS_PER_S) + wall_ahead_ns, wall_ahead_ns, wall_ahead_ns, seen(*deadlines_s))
    assert back == Back(event_s, late_s, 0.2)
    found = judge(case, back)
    assert told in "".join(found)
    assert bool(found) is bool(told)


def test_without_an_event_or_an_order_that_is_said() -> None:
    assert judge("store down", due.by_event(None, 0, 0, seen(8.5))) == ("the interval did not become protective",)
    assert judge("store down", due.by_event(5, 0, 0, [Look(None, 25.0, 0.1)])) == (
        "no order of a longer interval stood",
    )
