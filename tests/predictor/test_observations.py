"""Codes stand for the digits that they were made of."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from predictor.observations import Symbols, encode, likelihood_table

LEVELS = (3, 2, 4)


@given(arrays(np.int64, st.tuples(st.integers(0, 12), st.integers(1, 12), st.just(3)), elements=st.integers(-1, 1)))
def test_codes_stand_for_their_digits(symbols: Symbols) -> None:
    observed = encode(symbols, LEVELS)
    np.testing.assert_array_equal(observed.digits[observed.codes], np.where(symbols == -1, LEVELS, symbols))
    np.testing.assert_array_equal(observed.digits[observed.missing], LEVELS)
    assert len(observed.digits) <= symbols[..., 0].size + 1, "no more codes than observations, and the missing one"


def test_codes_of_many_observations_are_all_combinations() -> None:
    symbols = np.random.default_rng(0).integers(-1, 2, (50, 40, 3))
    observed = encode(symbols, LEVELS)
    assert len(observed.digits) == 4 * 3 * 5
    np.testing.assert_array_equal(observed.digits[observed.codes], np.where(symbols == -1, LEVELS, symbols))


def test_encode_leaves_its_input_alone() -> None:
    symbols = np.full((2, 1, 3), -1)
    encode(symbols, LEVELS)
    np.testing.assert_array_equal(symbols, -1)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_any_integers_will_do(dtype: type[np.integer]) -> None:
    symbols = np.array([[[0, 1, 3], [2, 0, 0]]], dtype=dtype)
    observed = encode(symbols, LEVELS)
    np.testing.assert_array_equal(observed.digits[observed.codes], symbols)


@pytest.mark.parametrize(
    ("symbols", "levels", "words"),
    [
        (np.zeros((2, 1, 3)), LEVELS, "symbols must be integers, not float64"),
        (np.zeros((2, 1), dtype=int), LEVELS, "symbols of shape (2, 1) must end in 3 digits"),
        (np.array([[[0, 2, 0]]]), LEVELS, "digit 1 runs from 2 to 2: must be -1 (missing) to 1"),
        (np.array([[[-2, 0, 0]]]), LEVELS, "digit 0 runs from -2 to -2: must be -1 (missing) to 2"),
        (np.zeros((1, 1, 40), dtype=int), (3,) * 40, "too many combinations to count: use fewer digits"),
    ],
)
def test_what_cannot_be_coded_is_refused(symbols: Symbols, levels: tuple[int, ...], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        encode(symbols, levels)


def test_likelihoods_are_products_over_the_digits_seen() -> None:
    emissions = (np.array([[0.1, 0.9], [0.5, 0.5]]), np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
    observed = encode(np.array([[1, 2], [1, -1], [-1, 0], [-1, -1]]), (2, 3))
    table = likelihood_table(emissions, observed.digits)[:, observed.codes]
    np.testing.assert_allclose(table, [[0.9 * 0.5, 0.9, 0.2, 1], [0.5 * 0.1, 0.5, 0.6, 1]], rtol=1e-12)
    stacked = likelihood_table([np.stack([e, e]) for e in emissions], observed.digits)[..., observed.codes]
    np.testing.assert_allclose(stacked, [table, table], rtol=1e-12)
