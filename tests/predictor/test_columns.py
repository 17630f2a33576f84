"""Chunks side by side are the sequence that they were cut from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.columns import fold


@given(n_steps=st.integers(0, 700), n_sequences=st.integers(1, 4))
def test_unfolding_undoes_folding(n_steps: int, n_sequences: int) -> None:
    codes = np.arange(n_steps * n_sequences).reshape(n_steps, n_sequences)
    columns = fold(codes, -1)
    np.testing.assert_array_equal(columns.unfold(columns.codes.astype(float)), codes)
    within = np.where(columns.codes == -1, 0, columns.codes).astype(float)
    np.testing.assert_array_equal(columns.total(within), codes.sum(axis=0))


def test_a_chunk_begins_where_the_one_before_it_ends() -> None:
    columns = fold(np.arange(1000)[:, None], -1)
    np.testing.assert_array_equal(columns.codes[0, 1:], columns.codes[-1, :-1] + 1)
