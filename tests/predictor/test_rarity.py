"""Rarity: exact on small samples, never optimistic, thinned without moving the tail."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from predictor.rarity import MOST_KEPT, Rarity, exceeded_by

Floats = NDArray[np.float64]

samples = arrays(np.float64, st.integers(1, 60), elements=st.integers(-5, 5).map(float))  # few values: many ties


@given(sample=samples, values=samples)
def test_counts_as_a_permutation_test_does(sample: Floats, values: Floats) -> None:
    expected = [-math.log10((1 + sum(s >= v for s in sample)) / (1 + len(sample))) for v in values]
    np.testing.assert_allclose(Rarity.learn(sample).decades(values), expected, rtol=1e-12, atol=1e-12)


@given(sample=samples, pair=st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_more_is_never_less_rare(sample: Floats, pair: tuple[float, float]) -> None:
    low, high = Rarity.learn(sample).decades(np.sort(pair))
    most = math.nextafter(math.log10(1 + len(sample)), math.inf)  # NumPy's logarithm may differ in its last digit
    assert 0 <= low <= high <= most


def test_nan_stays_nan_and_is_not_learned() -> None:
    rarity = Rarity.learn(np.array([[1.0, np.nan], [2.0, np.nan]]))
    assert rarity.sample.tolist() == [1, 2]
    np.testing.assert_allclose(
        rarity.decades(np.array([[np.nan, 3.0]])), [[np.nan, math.log10(3)]], rtol=1e-12, equal_nan=True
    )


@pytest.mark.parametrize("size", [MOST_KEPT + 1, 3 * MOST_KEPT + 7])
def test_thinned_sample_keeps_every_rank_within_one(size: int) -> None:
    full = np.random.default_rng(1).permutation(size).astype(float)
    thinned = Rarity.learn(full).sample
    assert thinned.size == MOST_KEPT
    assert thinned[-1] == size - 1
    values = np.arange(0, size, 37) + 0.5
    as_large_of_all = (size - np.ceil(values)) / size
    as_large_of_kept = 1 - np.searchsorted(thinned, values) / MOST_KEPT
    np.testing.assert_allclose(as_large_of_kept, as_large_of_all, rtol=0, atol=1 / MOST_KEPT)


@pytest.mark.parametrize("calm", [np.empty(0), np.full((3, 2), np.nan)])
def test_nothing_calm_is_refused(calm: Floats) -> None:
    with pytest.raises(ValueError, match="no calm values to compare with: train on"):
        Rarity.learn(calm)


@given(calm=samples, share=st.floats(0.01, 0.49))
def test_threshold_is_the_lowest_that_keeps_the_share(calm: Floats, share: float) -> None:
    threshold = exceeded_by(calm, share)
    assert np.mean(calm >= threshold) <= share
    lower = calm[calm < threshold]
    assert np.mean(calm >= lower.max()) > share


def test_threshold_of_distinct_values_is_just_above_the_last_that_must_not_alarm() -> None:
    assert exceeded_by(np.array([3.0, 1.0, np.nan, 2.0, 4.0]), 0.25) == np.nextafter(3.0, np.inf)
