from dataclasses import replace

import pytest

from agent.clock import Now
from agent.evidence import Decision, Evidence, Limits, weigh
from agent.order import Order
from telemetry.point import Point, Value
from telemetry.units import NS_PER_S

LIMITS = Limits(protective_ms=25, max_ms=8_000, future_tolerance_ns=NS_PER_S)
T0 = Now(monotonic_ns=1_000 * NS_PER_S, wall_ns=1_700_000_000 * NS_PER_S)
FIRST = Decision("web", T0.wall_ns, 10, 2_000.0, 15.0, "calm")


def after(seconds: float, *, wall_s: float | None = None) -> Now:
    """T0 plus `seconds`; the wall clock may have gone otherwise."""
    wall_ns = int((seconds if wall_s is None else wall_s) * NS_PER_S)
    return Now(T0.monotonic_ns + int(seconds * NS_PER_S), T0.wall_ns + wall_ns)


def later(seconds: float, **changes: object) -> Decision:
    fields = {"time_ns": FIRST.time_ns + int(seconds * NS_PER_S), "sequence": 11, **changes}
    return replace(FIRST, **fields)  # type: ignore[arg-type] # the changes are the test's own


def known(decision: Decision = FIRST, seen: Now = T0) -> Evidence:
    evidence, doubt = weigh(None, decision, seen, LIMITS)
    assert doubt is None
    assert evidence is not None
    return evidence


def test_reads_a_decision_from_a_point() -> None:
    fields: dict[str, Value] = {
        "interval_ms": 500.0,
        "reason": "calm",
        "mode": "default",
        "sequence": 3,
        "valid_for_s": 15.0,
    }
    assert Decision.of(Point("decision", {"domain": "web"}, fields, 5)) == Decision("web", 5, 3, 500.0, 15.0, "calm")


def test_what_a_point_lacks_is_none() -> None:
    decision = Decision.of(Point("decision", {"domain": "web"}, {"mode": "default"}, 5))
    assert (decision.sequence, decision.interval_ms, decision.valid_for_s) == (None, None, None)


def test_accepts_a_fresh_decision_for_what_is_left_of_its_validity() -> None:
    evidence = known(seen=after(4.0))
    assert (evidence.sequence, evidence.interval_ms) == (10, 2_000)
    assert evidence.expires_monotonic_ns == after(15.0).monotonic_ns


@pytest.mark.parametrize(
    ("asked_ms", "given_ms"), [(0.5, 25), (25.0, 25), (99.9, 99), (8_000.0, 8_000), (3.6e6, 8_000)]
)
def test_clamps_to_the_hosts_limits_and_rounds_to_the_shorter(asked_ms: float, given_ms: int) -> None:
    assert known(replace(FIRST, interval_ms=asked_ms)).interval_ms == given_ms


@pytest.mark.parametrize(
    ("decision", "doubt"),
    [
        (replace(FIRST, sequence=None), "sequence"),
        (replace(FIRST, sequence=-1), "sequence"),
        (replace(FIRST, sequence=10**18), "sequence"),
        (replace(FIRST, interval_ms=None), "interval_ms"),
        (replace(FIRST, interval_ms=float("nan")), "interval_ms"),
        (replace(FIRST, interval_ms=float("inf")), "interval_ms"),
        (replace(FIRST, interval_ms=0.0), "interval_ms"),
        (replace(FIRST, interval_ms=-5.0), "interval_ms"),
        (replace(FIRST, interval_ms=3.7e6), "interval_ms"),
        (replace(FIRST, valid_for_s=None), "valid_for_s"),
        (replace(FIRST, valid_for_s=float("nan")), "valid_for_s"),
        (replace(FIRST, valid_for_s=3_601.0), "valid_for_s"),
        (later(1.001), "future"),
        (later(-15.0), "past its valid_for_s"),
    ],
)
def test_a_decision_that_cannot_be_acted_on_is_named_and_not_acted_on(decision: Decision, doubt: str) -> None:
    evidence, said = weigh(None, decision, T0, LIMITS)
    assert evidence is None
    assert said is not None
    assert doubt in said


def test_a_clock_that_is_a_little_ahead_is_tolerated_but_earns_no_time() -> None:
    assert known(later(1.0)).expires_monotonic_ns == after(15.0).monotonic_ns


def test_the_same_decision_seen_again_does_not_get_younger() -> None:
    evidence, doubt = weigh(known(), FIRST, after(10.0, wall_s=-100.0), LIMITS)
    assert evidence == known()
    assert doubt is None


def test_the_same_decision_stays_dead_when_the_wall_clock_is_set_back() -> None:
    evidence, _ = weigh(known(), FIRST, after(16.0, wall_s=0.0), LIMITS)
    assert evidence is not None
    assert not evidence.stands(after(16.0))


def test_of_two_decisions_of_the_same_time_the_shorter_and_briefer_counts() -> None:
    evidence, _ = weigh(known(), replace(FIRST, interval_ms=300.0, valid_for_s=2.0), after(1.0), LIMITS)
    assert evidence is not None
    assert evidence.interval_ms == 300
    assert evidence.expires_monotonic_ns == after(3.0).monotonic_ns
    back, _ = weigh(evidence, FIRST, after(2.0), LIMITS)
    assert back == evidence


def test_the_next_decision_takes_over() -> None:
    evidence, doubt = weigh(known(), later(5.0, interval_ms=4_000.0), after(5.0), LIMITS)
    assert doubt is None
    assert evidence is not None
    assert (evidence.sequence, evidence.interval_ms) == (11, 4_000)
    assert evidence.expires_monotonic_ns == after(20.0).monotonic_ns


@pytest.mark.parametrize("changes", [{"sequence": 9}, {"sequence": 10}, {"time_ns": FIRST.time_ns}])
def test_a_decision_that_does_not_follow_can_only_shorten(changes: dict[str, object]) -> None:
    longer, doubt = weigh(known(), later(5.0, **{"interval_ms": 4_000.0, **changes}), after(5.0), LIMITS)
    assert doubt is not None
    assert longer == replace(known(), disputed=True)
    shorter, _ = weigh(known(), later(5.0, **{"interval_ms": 100.0, **changes}), after(5.0), LIMITS)
    assert shorter == replace(known(), disputed=True, interval_ms=100)


def test_two_predictors_at_odds_get_the_shorter_interval_and_no_more_time() -> None:
    evidence: Evidence | None = known()
    for second in range(1, 15):
        mine = later(second, sequence=10 + second)
        other = later(second + 0.5, sequence=second, interval_ms=400.0)
        for decision in (mine, other):
            evidence, _ = weigh(evidence, decision, after(second + 0.6), LIMITS)
    assert evidence is not None
    assert evidence.interval_ms == 400
    assert evidence.expires_monotonic_ns <= after(16.0).monotonic_ns


def test_a_predictor_that_counts_anew_is_believed_when_the_old_line_has_ended() -> None:
    evidence, doubt = weigh(known(), later(15.0, sequence=1), after(15.0), LIMITS)
    assert doubt is None
    assert evidence is not None
    assert evidence.sequence == 1


def test_a_doubtful_decision_may_shorten_at_once() -> None:
    evidence, doubt = weigh(known(), later(60.0, interval_ms=100.0), after(5.0), LIMITS)
    assert doubt is not None
    assert evidence is not None
    assert evidence.interval_ms == 100
    assert evidence.expires_monotonic_ns == known().expires_monotonic_ns


def test_an_order_of_a_former_run_runs_out_and_its_decision_does_not_renew_it() -> None:
    order = Order(10, 2_000, after(5.0).monotonic_ns)
    left = Evidence.of_order(order, T0, LIMITS)
    assert left.expires_monotonic_ns == order.deadline_monotonic_ns
    again, doubt = weigh(left, FIRST, after(1.0), LIMITS)
    assert doubt is not None
    assert again == replace(left, disputed=True)
    ended, _ = weigh(left, FIRST, after(6.0), LIMITS)
    assert ended is not None
    assert not ended.stands(after(6.0))
    following, doubt = weigh(left, later(1.0), after(1.0), LIMITS)
    assert doubt is None
    assert following is not None
    assert following.sequence == 11


def test_an_order_of_another_boot_does_not_stand() -> None:
    order = Order(10, 2_000, after(61.0).monotonic_ns)
    assert not Evidence.of_order(order, T0, LIMITS).stands(T0)
