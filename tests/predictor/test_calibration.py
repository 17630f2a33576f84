"""Calibration: what was honest stays, what was too sure is drawn in, by an independent fit of the same map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from predictor.calibration import Calibration

Floats = NDArray[np.float64]


def drawn(seed: int, size: int = 20_000) -> tuple[Floats, NDArray[np.bool_]]:
    """Probabilities, and what came true of them."""
    rng = np.random.default_rng(seed)
    honest = expit(rng.normal(-2, 2, size))
    return honest, rng.random(size) < honest


@pytest.mark.parametrize(("too_sure", "too_high"), [(1.0, 0.0), (3.0, 0.0), (2.0, 4.0), (0.5, -1.0)])
def test_finds_how_far_forecasts_were_off(too_sure: float, too_high: float) -> None:
    honest, came_true = drawn(1)
    learned = Calibration.learn(expit(too_sure * logit(honest) + too_high), came_true)
    np.testing.assert_allclose(learned.slope, 1 / too_sure, rtol=0.1)
    np.testing.assert_allclose(learned.intercept, -too_high / too_sure, rtol=0, atol=0.15)


def test_is_a_logistic_regression_on_platt_s_targets() -> None:
    forecast, came_true = drawn(2, size=200)
    forecast = forecast**0.3
    true, false = came_true.sum(), (~came_true).sum()
    target = np.where(came_true, (true + 1) / (true + 2), 1 / (false + 2))
    twice = np.tile(logit(forecast), 2)[:, None]
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(
        twice, np.repeat([1, 0], len(target)), sample_weight=np.concatenate([target, 1 - target])
    )
    learned = Calibration.learn(forecast, came_true)
    np.testing.assert_allclose(learned.slope, oracle.coef_[0, 0], rtol=1e-3)
    np.testing.assert_allclose(learned.intercept, oracle.intercept_[0], rtol=1e-3)


def test_forecasts_worse_than_none_leave_the_base_rate() -> None:
    honest, came_true = drawn(3)
    learned = Calibration.learn(1 - honest, came_true)
    assert learned.slope == 0
    np.testing.assert_allclose(learned.honest(np.array([0.01, 0.99])), came_true.mean(), rtol=1e-2)


@pytest.mark.parametrize("came_true", [np.zeros(50, dtype=bool), np.ones(50, dtype=bool)])
def test_finite_sample_makes_nothing_certain(came_true: NDArray[np.bool_]) -> None:
    learned = Calibration.learn(np.linspace(0, 1, 50), came_true)
    honest = learned.honest(np.array([0.0, 0.5, 1.0]))
    assert ((honest > 0) & (honest < 1)).all()


@given(
    pair=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    slope=st.floats(0, 10),
    intercept=st.floats(-10, 10),
)
def test_order_is_kept(pair: tuple[float, float], slope: float, intercept: float) -> None:
    low, high = Calibration(slope, intercept).honest(np.sort(pair))
    assert 0 <= low <= high <= 1


def test_nothing_learned_changes_nothing_and_nan_stays_nan() -> None:
    forecast = np.array([0.0, 1e-12, 0.3, 1.0, np.nan])
    np.testing.assert_array_equal(Calibration().honest(forecast), forecast)
    assert np.isnan(Calibration(0.5, -1).honest(forecast)).tolist() == [False] * 4 + [True]
