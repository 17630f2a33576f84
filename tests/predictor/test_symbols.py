"""Symbols: by hand, against textbook recursions, and what they must not depend on."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.signal import lfilter

from predictor.observations import MISSING
from predictor.symbols import (
    LARGEST_DEPARTURE,
    SIGMA_FLOOR_SHARE,
    Averaging,
    History,
    Trend,
    average,
    follow,
    last,
    learn_history,
    mean_levels,
    mean_loads,
    mean_symbols,
    sigma_levels,
    sigma_loads,
    sigma_symbols,
    standardise,
)

Floats = NDArray[np.float64]

GAP = np.nan
UNIT_HISTORY = History(np.zeros((1, 2)), np.ones((1, 2)))
moderate = st.floats(-1e3, 1e3) | st.just(GAP)


def trend_of(fast: list[float], slow: list[float]) -> Trend:
    """Of one domain at one step."""
    return Trend(np.array([fast]), np.array([slow]), np.zeros(1))


class TestHistory:
    def test_by_hand(self) -> None:
        history = learn_history(np.array([[[1.0, 10.0]], [[3.0, GAP]], [[5.0, 30.0]]]))
        np.testing.assert_allclose(history.mean, [[3, 20]], rtol=1e-12)
        np.testing.assert_allclose(history.sigma, [[(8 / 3) ** 0.5, 10]], rtol=1e-12)

    def test_deviation_has_two_floors(self) -> None:
        still = np.full((4, 1, 3), [100.0, 100.0, 0.0])
        history = learn_history(still, floors=np.array([0.0, 7.0, 0.5]))
        np.testing.assert_allclose(history.sigma, [[SIGMA_FLOOR_SHARE * 100, 7, 0.5]], rtol=1e-12)

    def test_metric_never_measured_is_not_known(self) -> None:
        history = learn_history(np.array([[[1.0, GAP]], [[2.0, GAP]]]))
        assert history.known.tolist() == [[True, False]]
        assert np.isnan(history.sigma[0, 1])
        np.testing.assert_array_equal(np.isnan(standardise(np.array([[1.0, 5.0]]), history)), [[False, True]])

    def test_first_stir_of_what_always_stood_still_is_large_but_finite(self) -> None:
        history = learn_history(np.zeros((10, 1, 1)))
        departures = standardise(np.array([[[0.0]], [[1e-9]], [[np.inf]], [[-1.0]]]), history)[:, 0, 0]
        assert departures.tolist() == [0, LARGEST_DEPARTURE, LARGEST_DEPARTURE, -LARGEST_DEPARTURE]


class TestAverage:
    @given(values=arrays(np.float64, st.integers(1, 30), elements=moderate), weight=st.floats(0.01, 1))
    def test_is_the_recursion_over_what_was_seen(self, values: Floats, weight: float) -> None:
        expected: list[float] = []
        current = GAP
        for value in values.tolist():
            if not math.isnan(value):
                current = value if math.isnan(current) else (1 - weight) * current + weight * value
            expected.append(current)
        np.testing.assert_allclose(average(values, np.array(GAP), weight), expected, rtol=1e-9, atol=1e-9)

    @given(values=arrays(np.float64, st.integers(2, 50), elements=st.floats(-1e3, 1e3)))
    def test_is_a_first_order_low_pass(self, values: Floats) -> None:
        weight, first = 0.3, values[0]
        filtered, _ = lfilter([weight], [1, weight - 1], values[1:], zi=[(1 - weight) * first])
        np.testing.assert_allclose(average(values, np.array(GAP), weight)[1:], filtered, rtol=1e-9, atol=1e-9)

    def test_one_absurd_value_is_forgotten(self) -> None:
        history = learn_history(np.zeros((10, 1, 1)))
        values = np.zeros((200, 1, 1))
        values[5] = 1e12
        trend = follow(standardise(values, history), Trend.unknown(1, 1), Averaging())
        calm_again = int(np.flatnonzero(trend.rise[:, 0] > 3)[-1]) + 1
        assert 5 < calm_again < 20
        assert abs(trend.slow[-1, 0, 0]) < 1e-2


class TestFollow:
    def test_rise_averages_the_largest_departure_upwards(self) -> None:
        departures = np.array([[[1.0, -9.0]], [[3.0, 5.0]], [[GAP, 1.0]]])
        rise = follow(departures, Trend.unknown(1, 2), Averaging(fast=0.5)).rise[:, 0]
        np.testing.assert_allclose(rise, [1, 3, 2], rtol=1e-12)

    def test_nothing_seen_nothing_known(self) -> None:
        trend = follow(np.full((3, 2, 2), GAP), Trend.unknown(2, 2), Averaging())
        assert np.isnan(trend.fast).all()
        assert np.isnan(trend.rise).all()

    @given(
        departures=arrays(
            np.float64, array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=6), elements=moderate, fill=moderate
        ),
        data=st.data(),
    )
    def test_in_pieces_is_at_once(self, departures: Floats, data: st.DataObject) -> None:
        cut = data.draw(st.integers(1, len(departures) - 1))
        unknown = Trend.unknown(*departures.shape[1:])
        at_once = follow(departures, unknown, Averaging())
        first = follow(departures[:cut], unknown, Averaging())
        second = follow(departures[cut:], last(first), Averaging())
        for name in ("fast", "slow", "rise"):
            pieces = np.concatenate([getattr(first, name), getattr(second, name)])
            np.testing.assert_array_equal(pieces, getattr(at_once, name))


class TestSigmaSymbols:
    @pytest.mark.parametrize(
        ("departure", "digit"), [(-3.01, 0), (-2.99, 1), (0.0, 1), (3.0, 1), (3.01, 2), (GAP, MISSING)]
    )
    def test_digit_of_a_metric(self, departure: float, digit: int) -> None:
        symbols = sigma_symbols(np.array([[departure, 0.0]]), trend_of([0, 0], [0, 0]))
        assert symbols.tolist() == [[digit, 1, 0]]

    @pytest.mark.parametrize(
        ("fast", "slow", "digit"),
        [([0.5, 0], [0, 1], 0), ([1.5, 0], [0, 0], 1), ([0, -4], [1, 0], 2), ([GAP, 2], [GAP, 0], 1)],
    )
    def test_digit_of_the_movement_is_the_largest(self, fast: list[float], slow: list[float], digit: int) -> None:
        assert sigma_symbols(np.zeros((1, 2)), trend_of(fast, slow))[0, -1] == digit

    def test_unseen_domain_is_missing_altogether(self) -> None:
        symbols = sigma_symbols(np.full((1, 2), GAP), trend_of([9, 9], [0, 0]))
        assert symbols.tolist() == [[MISSING] * 3]

    def test_levels_and_loads_fit_the_digits(self) -> None:
        assert sigma_levels(4) == (3,) * 5
        assert tuple(len(load) for load in sigma_loads(4)) == sigma_levels(4)
        assert [load.tolist() for load in sigma_loads(1)] == [[0, 1, 2], [0, 0, 0]]

    @given(pair=st.tuples(st.floats(-200, 200), st.floats(-200, 200)))
    def test_more_is_never_a_lower_digit(self, pair: tuple[float, float]) -> None:
        values = np.sort(pair)[:, None, None]
        digits = sigma_symbols(values, Trend(np.abs(values), np.zeros_like(values), np.zeros((2, 1))))[:, 0, 0]
        assert digits[0] <= digits[1]


class TestMeanSymbols:
    @pytest.mark.parametrize(
        ("cpu_of_level", "other_of_level"), [((0.49, 0.51, 1.51), (0.99, 1.01)), ((0.0, 1.49, 9.0), (0.0, 9.0))]
    )
    def test_all_24_follow_the_formula(
        self, cpu_of_level: tuple[float, ...], other_of_level: tuple[float, ...]
    ) -> None:
        mean = np.array([[2.0, 10.0, 100.0, 7.0]])
        for c, m, n, d in itertools.product(range(3), range(2), range(2), range(2)):
            shares = [cpu_of_level[c], *(other_of_level[level] for level in (m, n, d))]
            expected = c * 2 * 2 * 2 + m * 2 * 2 + n * 2 + d
            assert mean_symbols(mean * shares, mean).tolist() == [[expected]]
        assert mean_levels(4) == (24,)

    def test_loads_are_the_sums_of_the_levels(self) -> None:
        (loads,) = mean_loads(4)
        assert loads.tolist() == [
            c + m + n + d for c, m, n, d in itertools.product(range(3), range(2), range(2), range(2))
        ]

    def test_missing_metric_is_a_missing_symbol(self) -> None:
        mean = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, GAP, 1.0, 1.0]])
        values = np.array([[[1.0, GAP, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]])
        assert mean_symbols(values, mean).tolist() == [[[MISSING], [MISSING]]]

    def test_anything_above_a_mean_of_nothing_is_high(self) -> None:
        assert mean_symbols(np.array([[[0.0]], [[1e9]]]), np.zeros((1, 1)))[:, 0, 0].tolist() == [0, 2]


@given(
    values=arrays(np.float64, (12, 2, 4), elements=st.floats(0, 1e6) | st.just(GAP), fill=st.just(1.0)),
    exponents=arrays(np.int64, (2, 4), elements=st.integers(-30, 30)),
)
def test_units_do_not_matter(values: Floats, exponents: NDArray[np.int64]) -> None:
    """Powers of two scale without rounding."""

    def symbols(of: Floats) -> list[NDArray[np.intp]]:
        history = learn_history(of)
        departures = standardise(of, history)
        trend = follow(departures, Trend.unknown(2, 4), Averaging())
        return [sigma_symbols(departures, trend), mean_symbols(of, history.mean)]

    for one, other in zip(symbols(values), symbols(values * np.exp2(exponents)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_not_seen_has_no_digit_of_its_metric() -> None:
    departures = standardise(np.array([[GAP, 5.0]]), UNIT_HISTORY)
    assert sigma_symbols(departures, trend_of([0, 0], [0, 0])).tolist() == [[MISSING, 2, 0]]
