"""One pass of the recursions: scaled as rarely as is safe, and the transfer matrix that stands for a whole column."""

import numpy as np
import pytest

from predictor.chain import Chain, transfer
from predictor.hmm import Hmm
from predictor.observations import encode, likelihood_table
from tests.predictor.enumeration import Paths, draw


@pytest.mark.parametrize(("least", "every"), [(0.1, 8), (1e-29, 4), (1e-60, 2), (1e-150, 1), (5e-324, 1)])
def test_scaling_is_as_rare_as_underflow_allows(least: float, every: int) -> None:
    table = np.array([[least, 1.0], [0.0, 1.0]])
    chain = Chain.rarely(np.array([0.5, 0.5]), np.eye(2), table)
    assert chain.scale_every == every
    assert [t for t in range(19) if chain.scales(t, 19)] == sorted({*range(every - 1, 19, every), 18})


@pytest.mark.parametrize("scale_every", [1, 8])
def test_transfer_matrices_equal_enumeration_of_all_paths(scale_every: int) -> None:
    model, symbols = draw(0)
    observed = encode(symbols, model.levels)
    table = likelihood_table(model.emissions, observed.digits)
    matrices = transfer(Chain(model.start, model.transition, table, scale_every), observed.codes)
    for s, matrix in enumerate(matrices):
        through = [
            Paths.through(Hmm(row, model.transition, model.emissions), symbols[:, s]) for row in model.transition
        ]
        expected = np.array([np.bincount(paths.states[:, -1], paths.p, 3) for paths in through])
        np.testing.assert_allclose(matrix / matrix.sum(), expected / expected.sum(), rtol=1e-10)


def test_nothing_gets_through_an_impossible_observation() -> None:
    table = np.array([[0.5, 0.0, 1.0], [0.5, 0.0, 0.0]])
    chain = Chain(np.array([0.5, 0.5]), np.full((2, 2), 0.5), table)
    possible, impossible, only_first = transfer(chain, np.array([[0, 1, 2], [0, 0, 2]]))
    np.testing.assert_allclose(possible, possible[0, 0], rtol=1e-12)
    np.testing.assert_array_equal(impossible, 0)
    np.testing.assert_allclose(only_first / only_first.max(), [[1, 0], [1, 0]], rtol=1e-12)
