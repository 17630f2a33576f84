"""Folds: every step is held out once, trouble in one piece, a failure in each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from predictor.folds import MOST_FOLDS, Piece, deal, failed_within
from predictor.model import FAILED, NORMAL

Health = NDArray[np.intp]

healths = arrays(np.intp, st.tuples(st.integers(1, 25), st.integers(1, 3)), elements=st.sampled_from([-1, 0, 0, 1, 2]))


def column(*levels: int) -> Health:
    """The health of one domain."""
    return np.array(levels, dtype=np.intp)[:, None]


def test_lesson_is_cut_midway_between_two_troubles() -> None:
    folds = deal([column(0, 1, 2, 2, 0, 0, 0, 0, 1, 2, 0)])
    assert folds == [(Piece(0, slice(0, 6)),), (Piece(0, slice(6, 11)),)]


def test_troubles_of_several_domains_at_once_stay_together() -> None:
    together = np.concatenate([column(0, 2, 2, 0, 0, 0, 0), column(0, 0, 2, 2, 0, 0, 0)], axis=1)
    assert deal([together]) == []
    assert deal([together, column(0, 2)]) == [(Piece(0, slice(0, 7)),), (Piece(1, slice(0, 2)),)]


def test_calm_lessons_are_dealt_too() -> None:
    folds = deal([column(0, 0), column(0, 2), column(0, 1), column(2, 0)])
    assert [{piece.lesson for piece in fold} for fold in folds] == [{1, 0}, {3, 2}]


@pytest.mark.parametrize("health", [[], [column(0, 0)], [column(0, 1), column(1, 0)], [column(0, 2, 0), column(0, 1)]])
def test_no_folds_without_two_failures(health: list[Health]) -> None:
    assert deal(health) == []


@given(health=st.lists(healths, min_size=1, max_size=8))
def test_every_step_is_held_out_once_and_every_fold_has_a_failure(health: list[Health]) -> None:
    folds = deal(health)
    assert len(folds) <= MOST_FOLDS
    held_out = [np.zeros(len(one), dtype=int) for one in health]
    for fold in folds:
        assert any((health[piece.lesson][piece.steps] == FAILED).any() for piece in fold)
        for piece in fold:
            held_out[piece.lesson][piece.steps] += 1
            troubled = (health[piece.lesson][piece.steps] > NORMAL).any(axis=1)
            assert np.count_nonzero(np.diff(troubled, prepend=False) & troubled) <= 1  # begins at most once
    assert not folds or all((count == 1).all() for count in held_out)


@given(health=healths, steps=st.integers(1, 6))
def test_failed_within_looks_at_the_next_steps(health: Health, steps: int) -> None:
    ahead = np.concatenate([health, np.repeat(health[-1:], steps, axis=0)]) == FAILED
    expected = [[ahead[t + 1 : t + 1 + steps, s].any() for s in range(health.shape[1])] for t in range(len(health))]
    assert failed_within(health, steps).tolist() == expected
