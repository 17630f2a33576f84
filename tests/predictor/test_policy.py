"""The decision rule: the paper's as a special case, hysteresis, and doubt that always protects."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.cost import Cost, Stakes
from predictor.policy import Decision, Memory, Rule, Threshold, View, decide
from telemetry.units import NS_PER_S

START_NS = 1_000 * NS_PER_S
RULE = Rule(
    thresholds=(Threshold("evidence", low=1.5, high=2.5), Threshold("p_failed_within", low=0.05, high=0.2)),
    protective_ms=25,
    calm_ms=2000,
    max_age_s=10,
    min_coverage=0.8,
    dwell_s=30,
    calm_ticks=5,
)
CALM = View({"evidence": 0.3, "p_failed_within": 0.01}, age_s=1, coverage=1)
SETTLED = Memory(interval_ms=2000, calm_ticks=100, protected_ns=0, tick_ns=START_NS - NS_PER_S)


def with_evidence(value: float) -> View:
    return replace(CALM, signals={**CALM.signals, "evidence": value})


def run(views: Sequence[View | None], rule: Rule, memory: Memory | None = None) -> list[Decision]:
    """Decisions of one tick a second."""
    decisions = []
    for second, view in enumerate(views):
        decision, memory = decide(view, rule, memory, START_NS + second * NS_PER_S)
        decisions.append(decision)
    return decisions


def intervals(views: Sequence[View | None], rule: Rule, memory: Memory | None = None) -> list[float]:
    return [decision.interval_ms for decision in run(views, rule, memory)]


class TestLengthening:
    def test_start_is_protective_until_calm_and_dwell(self) -> None:
        assert intervals([CALM] * 32, RULE) == [25] * 30 + [2000] * 2

    def test_waits_for_calm_ticks_in_a_row(self) -> None:
        rule = replace(RULE, dwell_s=0)
        assert intervals([CALM] * 4 + [with_evidence(1.6)] + [CALM] * 5, rule) == [25] * 9 + [2000]

    def test_dwell_runs_from_the_last_call_for_protection(self) -> None:
        views = [with_evidence(3), with_evidence(3)] + [CALM] * 30
        assert intervals(views, RULE, SETTLED) == [25] * 31 + [2000]

    def test_between_the_thresholds_the_interval_stays(self) -> None:
        assert intervals([with_evidence(2)] * 60, RULE, SETTLED) == [2000] * 60
        assert intervals([with_evidence(2)] * 60, RULE) == [25] * 60

    def test_predictor_that_stood_still_starts_over(self) -> None:
        late_ns = SETTLED.tick_ns + 11 * NS_PER_S
        decision, memory = decide(CALM, RULE, SETTLED, late_ns)
        assert decision == Decision(25, "calm for 1 of 5 ticks")
        assert memory == Memory(interval_ms=25, calm_ticks=1, protected_ns=late_ns, tick_ns=late_ns)

    def test_reasons_tell_what_is_waited_for(self) -> None:
        reasons = [decision.reason for decision in run([CALM] * 31, RULE)]
        assert reasons[0] == "calm for 1 of 5 ticks"
        assert reasons[10] == "calm, 20 s of the dwell left"
        assert reasons[30] == "calm"


@dataclass(frozen=True)
class Doubt:
    view: View | None
    reason: str


DOUBTS = [
    Doubt(None, "no forecast"),
    Doubt(with_evidence(2.5), "evidence 2.5 is not below 2.5"),
    Doubt(with_evidence(math.nan), "evidence is not known (nan)"),
    Doubt(with_evidence(math.inf), "evidence is not known (inf)"),
    Doubt(with_evidence(-math.inf), "evidence is not known (-inf)"),
    Doubt(with_evidence(-0.1), "evidence is not known (-0.1)"),
    Doubt(replace(CALM, signals={"evidence": 0.3}), "p_failed_within is not known (nan)"),
    Doubt(replace(CALM, signals={}), "evidence is not known (nan)"),
    Doubt(replace(CALM, age_s=11), "newest observation is 11 s old, allowed are 10 s"),
    Doubt(replace(CALM, age_s=math.nan), "newest observation is nan s old, allowed are 10 s"),
    Doubt(replace(CALM, age_s=-1), "newest observation is -1 s old, allowed are 10 s"),
    Doubt(replace(CALM, coverage=0.5), "50% of the metrics were seen, needed are 80%"),
    Doubt(replace(CALM, coverage=math.nan), "nan% of the metrics were seen, needed are 80%"),
    Doubt(replace(CALM, coverage=math.inf), "inf% of the metrics were seen, needed are 80%"),
]


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda doubt: doubt.reason)
def test_doubt_protects_at_once_and_says_why(doubt: Doubt) -> None:
    decision, memory = decide(doubt.view, RULE, SETTLED, START_NS)
    assert decision == Decision(RULE.protective_ms, doubt.reason)
    assert memory == Memory(RULE.protective_ms, calm_ticks=0, protected_ns=START_NS, tick_ns=START_NS)


def test_time_running_backwards_protects_and_recovers() -> None:
    decision, memory = decide(CALM, RULE, SETTLED, SETTLED.tick_ns - 3600 * NS_PER_S)
    assert decision == Decision(25, "time ran back by 3.6e+03 s")
    for second in range(1, 31):
        decision, memory = decide(CALM, RULE, memory, SETTLED.tick_ns + (second - 3600) * NS_PER_S)
    assert decision == Decision(2000, "calm")


PAPER = Rule(
    thresholds=(Threshold("p_abnormal_next", low=0.1, high=0.1),),
    protective_ms=25,
    calm_ms=2000,
    max_age_s=10,
    min_coverage=0.5,
    dwell_s=0,
    calm_ticks=1,
)


@given(probabilities=st.lists(st.one_of(st.floats(0, 1), st.just(0.1)), min_size=1))
def test_paper_rule_is_a_special_case(probabilities: list[float]) -> None:
    views = [View({"p_abnormal_next": p}, age_s=1, coverage=1) for p in probabilities]
    assert intervals(views, PAPER) == [2000 if p < 0.1 else 25 for p in probabilities]


def test_hysteresis_calms_a_noisy_day_without_missing_an_alarm() -> None:
    rng = np.random.default_rng(8)
    noise = np.zeros(1440)
    for minute in range(1, 1440):
        noise[minute] = 0.3 * noise[minute - 1] + rng.normal(scale=0.5)
    evidence = np.maximum(0, 1.4 + noise)
    evidence[600:630] += 2
    views = [with_evidence(float(value)) for value in evidence]
    dwelling = intervals(views, replace(RULE, dwell_s=120, calm_ticks=5))
    single = intervals(
        views, replace(RULE, thresholds=(Threshold("evidence", low=2, high=2),), dwell_s=0, calm_ticks=1)
    )
    assert changes(single) > 10 * changes(dwelling) > 0
    assert all(interval == 25 for interval, value in zip(dwelling, evidence, strict=True) if value >= 2.5)


def changes(decided: Sequence[float]) -> int:
    return sum(before != after for before, after in pairwise(decided))


STAKES = Stakes(
    intervals_ms=(25.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0),
    loss_weight_s=50.0,
    base_failures_per_s=1e-4,
    horizon_s=300.0,
)
COST = Cost(pause_s=0.02, send_s=0.005, demand_ratio=0.5, service_s=0.02)
COSTED = replace(RULE, stakes=STAKES)


class TestCost:
    def test_calm_takes_the_cheapest_interval(self) -> None:
        decision, _ = decide(replace(CALM, cost=COST), COSTED, SETTLED, START_NS)
        assert decision == Decision(500, "calm; the cheapest interval was taken")

    def test_risk_below_the_threshold_shortens_but_does_not_lengthen(self) -> None:
        riskier = replace(CALM, cost=COST, signals={"evidence": 2.0, "p_failed_within": 0.19})
        decision, memory = decide(riskier, COSTED, SETTLED, START_NS)
        assert decision.interval_ms == 200
        easier = replace(riskier, signals={"evidence": 2.0, "p_failed_within": 0.01})
        assert decide(easier, COSTED, memory, START_NS + 1)[0].interval_ms == 200

    def test_shortening_for_cost_alone_starts_no_dwell(self) -> None:
        dear, cheap = replace(CALM, cost=COST), replace(CALM, cost=replace(COST, pause_s=0.002))
        assert intervals([dear, cheap, dear], COSTED, SETTLED) == [500, 200, 500]

    @pytest.mark.parametrize(
        "cost", [None, replace(COST, pause_s=math.nan), replace(COST, demand_ratio=1.0), replace(COST, pause_s=1e9)]
    )
    def test_unknown_or_infeasible_cost_protects(self, cost: Cost | None) -> None:
        decision, _ = decide(replace(CALM, cost=cost), COSTED, SETTLED, START_NS)
        assert decision.interval_ms == 25
        assert "cost of checkpoints is not known" in decision.reason

    def test_never_below_the_protective_interval(self) -> None:
        cheap = replace(CALM, cost=replace(COST, pause_s=0.0))
        rule = replace(COSTED, stakes=replace(STAKES, intervals_ms=(1.0, 1000.0)))
        assert decide(cheap, rule, SETTLED, START_NS)[0].interval_ms == 25


WRONG: dict[str, Callable[[], object]] = {
    "at least one threshold": lambda: replace(RULE, thresholds=()),
    "protective <= calm": lambda: replace(RULE, protective_ms=3000),
    "not 25, nan ms": lambda: replace(RULE, calm_ms=math.nan),
    "max_age_s must be above 0": lambda: replace(RULE, max_age_s=math.nan),
    "dwell_s not below 0": lambda: replace(RULE, dwell_s=-1),
    "calm_ticks at least 1": lambda: replace(RULE, calm_ticks=0),
    "min_coverage must be a ratio": lambda: replace(RULE, min_coverage=0),
    "low <= high": lambda: Threshold("evidence", low=2, high=1),
}


@pytest.mark.parametrize("said", WRONG)
def test_rule_that_could_not_protect_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WRONG[said]()


# Worse evidence never gets the longer interval.

signals = st.floats(0, 4)
not_numbers = st.sampled_from([math.nan, math.inf, -math.inf, -1.0])
costs = st.none() | st.builds(Cost, st.floats(0, 0.5), st.floats(0, 0.1), st.floats(0, 1.1), st.floats(0, 1))
views = st.builds(
    View,
    signals=st.fixed_dictionaries({}, optional={"evidence": signals, "p_failed_within": st.floats(0, 1)}),
    age_s=st.floats(0, 12),
    coverage=st.floats(0.5, 1),
    cost=costs,
)


@st.composite
def worsened(draw: st.DrawFn, view: View | None) -> View | None:
    """The view with some of its evidence worse, unknown or gone."""
    if view is None or draw(st.integers(0, 9)) == 0:
        return None
    worse_signals = {
        name: draw(st.just(value) | st.floats(value, 5) | not_numbers)
        for name, value in view.signals.items()
        if draw(st.integers(0, 9))
    }
    return View(
        worse_signals,
        age_s=draw(st.just(view.age_s) | st.floats(view.age_s, 20) | not_numbers),
        coverage=draw(st.just(view.coverage) | st.floats(0, view.coverage) | not_numbers),
        cost=draw(st.sampled_from([view.cost, None])),
    )


@st.composite
def paired_ticks(draw: st.DrawFn) -> list[tuple[View | None, View | None, int]]:
    """Ticks as (better, worse, nanoseconds since the tick before); mostly calm and regular, so that much lengthens."""
    better = draw(st.lists(st.just(replace(CALM, cost=COST)) | st.none() | views, min_size=1, max_size=25))
    steps = st.just(NS_PER_S) | st.integers(-2 * NS_PER_S, 15 * NS_PER_S)
    return [(view, draw(st.just(view) | worsened(view)), draw(steps)) for view in better]


rules = st.sampled_from([RULE, COSTED, PAPER]).flatmap(
    lambda rule: st.builds(
        lambda dwell_s, calm_ticks: replace(rule, dwell_s=dwell_s, calm_ticks=calm_ticks),
        st.floats(0, 5),
        st.integers(1, 3),
    )
)


@settings(max_examples=500)
@given(ticks=paired_ticks(), rule=rules, memory=st.sampled_from([None, SETTLED]))
def test_worse_evidence_never_gives_a_longer_interval(
    ticks: list[tuple[View | None, View | None, int]], rule: Rule, memory: Memory | None
) -> None:
    now_ns, better_memory, worse_memory = START_NS, memory, memory
    for better, worse, step_ns in ticks:
        now_ns += step_ns
        better_decision, better_memory = decide(better, rule, better_memory, now_ns)
        worse_decision, worse_memory = decide(worse, rule, worse_memory, now_ns)
        assert rule.protective_ms <= worse_decision.interval_ms <= better_decision.interval_ms <= rule.calm_ms
        assert worse_decision.reason
