"""The benchmark beside hmmlearn runs, small, and both are given the same."""

import numpy as np

from benchmarks.bench_hmm import FULL, QUICK, Case, Shape, rows
from predictor import hmm


def test_every_shape_is_trained_on_and_filtered() -> None:
    measured = list(rows(quick=True))
    assert len({row.case for row in measured}) == len(measured) == 3 * len(QUICK.shapes)
    for row in measured:
        assert min(row.ours + row.theirs) > 0
        assert len(row.ours) == QUICK.runs
    assert [row.goal.bound for row in measured if row.goal] == [4.0, 2.0, 0.8, 2.0]


def test_goals_are_measured_in_full() -> None:
    assert [(shape.sequences, shape.steps) for shape in FULL.shapes] == [(1_000, 1_000), (1, 100_000)]
    assert FULL.trained_symbols == (24, 81, 243)
    assert FULL.runs >= 5


def test_both_score_the_same_series() -> None:
    for shape in (Shape(3, 50, goal=1.0), Shape(1, 3_000, goal=1.0)):
        case = Case.draw(shape, 6)
        assert case.symbols.shape == (shape.steps, shape.sequences, 1)
        ours, theirs = hmm.log_likelihood(case.start, case.symbols).sum(), case.theirs().score(*case.series())
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
