"""The cheapest interval against its closed form, a general optimiser, and a measured series beyond the formula."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from predictor.cost import Cost, Stakes, cheapest_interval_ms, failures_per_s, price_s, response_s

COST = Cost(pause_s=0.01, send_s=0.005, demand_ratio=0.6, service_s=0.02)
FINE_MS = tuple(float(ms) for ms in np.geomspace(0.1, 3_600_000, 3500))  # neighbours 0.5 % apart
STAKES = Stakes(intervals_ms=FINE_MS, loss_weight_s=0.5, base_failures_per_s=0.0, horizon_s=300.0)

demands = st.floats(0.01, 0.95)
pauses_s = st.floats(0.001, 0.5)
probabilities = st.floats(1e-6, 0.999)


def price_at(interval_s: float, cost: Cost, stakes: Stakes, p: float) -> float:
    return price_s(interval_s, response_s(interval_s, cost), failures_per_s(p, stakes), cost, stakes)


def optimum_s(cost: Cost, stakes: Stakes, p: float) -> float:
    c, rho, weight = cost.pause_s, cost.demand_ratio, failures_per_s(p, stakes) * stakes.loss_weight_s
    return (rho * c + math.sqrt(2 * cost.service_s * rho * c / (weight + stakes.output_held))) / (1 - rho)


def test_failure_rate_gives_the_probability_back() -> None:
    rate = failures_per_s(0.3, STAKES)
    assert 1 - math.exp(-rate * STAKES.horizon_s) == pytest.approx(0.3)


@given(demand=demands, pause_s=pauses_s, p=probabilities, output_held=st.booleans())
def test_closed_form_is_where_a_general_optimiser_ends(
    demand: float, pause_s: float, p: float, output_held: bool
) -> None:
    cost, stakes = replace(COST, demand_ratio=demand, pause_s=pause_s), replace(STAKES, output_held=output_held)
    expected = optimum_s(cost, stakes, p)
    least = demand * pause_s / (1 - demand)
    found = minimize_scalar(
        lambda log_s: price_at(math.exp(log_s), cost, stakes, p),
        bounds=(math.log(least * (1 + 1e-9)), math.log(expected * 100)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert price_at(expected, cost, stakes, p) == pytest.approx(found.fun, rel=1e-6)


@given(demand=demands, pause_s=pauses_s, p=st.floats(1e-3, 0.9), output_held=st.booleans())
def test_cheapest_interval_is_the_closed_form(demand: float, pause_s: float, p: float, output_held: bool) -> None:
    cost, stakes = replace(COST, demand_ratio=demand, pause_s=pause_s), replace(STAKES, output_held=output_held)
    found_ms = cheapest_interval_ms(cost, stakes, p, longest_ms=math.inf)
    assert found_ms == pytest.approx(min(1000 * optimum_s(cost, stakes, p), FINE_MS[-1]), rel=0.006)


def test_without_the_queue_it_is_young_and_daly() -> None:
    cost = replace(COST, pause_s=1e-6)  # far below the interval: the first-order optimum
    rho = cost.demand_ratio
    stakes = replace(STAKES, loss_weight_s=cost.service_s * rho / (1 - rho) ** 2)
    young_s = math.sqrt(2 * cost.pause_s / failures_per_s(0.2, stakes))
    assert cheapest_interval_ms(cost, stakes, 0.2, longest_ms=math.inf) == pytest.approx(1000 * young_s, rel=0.01)


@given(a=probabilities, b=probabilities)
def test_likelier_failure_never_gives_a_longer_interval(a: float, b: float) -> None:
    calm_ms, worse_ms = (cheapest_interval_ms(COST, STAKES, p, longest_ms=math.inf) for p in sorted((a, b)))
    assert calm_ms is not None
    assert worse_ms is not None
    assert worse_ms <= calm_ms


def test_longest_is_kept() -> None:
    assert cheapest_interval_ms(COST, STAKES, 1e-6, longest_ms=500) == pytest.approx(500, rel=0.006)


@pytest.mark.parametrize("unknown", [math.nan, math.inf, -1.0])
def test_unknown_figure_gives_none(unknown: float) -> None:
    torn = [
        replace(COST, pause_s=unknown),
        replace(COST, send_s=unknown),
        replace(COST, demand_ratio=unknown),
        replace(COST, service_s=unknown),
    ]
    assert [cheapest_interval_ms(cost, STAKES, 0.1, longest_ms=2000) for cost in torn] == [None] * 4


@pytest.mark.parametrize("p", [math.nan, -0.1, 1.0, math.inf])
def test_probability_that_tells_no_rate_gives_none(p: float) -> None:
    assert cheapest_interval_ms(COST, STAKES, p, longest_ms=2000) is None


def test_guest_that_cannot_keep_up_anywhere_gives_none() -> None:
    assert cheapest_interval_ms(replace(COST, demand_ratio=1.0), STAKES, 0.1, longest_ms=2000) is None
    assert cheapest_interval_ms(replace(COST, demand_ratio=0.9, pause_s=0.5), STAKES, 0.1, longest_ms=2000) is None


def test_interval_at_which_the_guest_cannot_keep_up_is_not_taken() -> None:
    cost = replace(COST, demand_ratio=0.8, pause_s=0.1)  # needs more than 400 ms
    stakes = replace(STAKES, intervals_ms=(25.0, 200.0, 500.0, 2000.0), base_failures_per_s=10.0)
    assert cheapest_interval_ms(cost, stakes, 0.0, longest_ms=2000) == 500


class TestMeasuredResponse:
    """Tomcat on an emulated pair: 25 to 500 ms gains next to nothing, though the pause alone says otherwise."""

    measured = replace(COST, pause_s=0.3, response_s={25.0: 2.2, 500.0: 2.2, 2000.0: 0.83, 8000.0: 0.54})
    stakes = replace(STAKES, intervals_ms=(25.0, 500.0, 2000.0, 8000.0), loss_weight_s=1.0)

    def test_stands_in_for_the_formula(self) -> None:
        assert cheapest_interval_ms(self.measured, self.stakes, 0.01, longest_ms=8000) == 8000
        assert cheapest_interval_ms(self.measured, self.stakes, 0.01, longest_ms=2000) == 2000

    def test_of_equally_fast_ones_the_shorter_is_taken(self) -> None:
        assert cheapest_interval_ms(self.measured, self.stakes, 0.0, longest_ms=500) == 25

    def test_likely_failure_pays_for_short_intervals(self) -> None:
        stakes = replace(self.stakes, loss_weight_s=1000.0)
        assert cheapest_interval_ms(self.measured, stakes, 0.9, longest_ms=8000) == 25

    def test_unknown_point_gives_none(self) -> None:
        torn = replace(self.measured, response_s={25.0: 2.2, 500.0: math.nan})
        assert cheapest_interval_ms(torn, self.stakes, 0.01, longest_ms=8000) is None

    def test_no_measured_interval_short_enough_gives_none(self) -> None:
        assert cheapest_interval_ms(self.measured, self.stakes, 0.01, longest_ms=10) is None
