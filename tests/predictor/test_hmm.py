"""Inference against the enumeration of all paths."""

from itertools import pairwise, product

import numpy as np
import pytest

from predictor import hmm
from predictor.baum_welch import random_model
from predictor.hmm import Hmm
from predictor.observations import Floats, Symbols


def joint(model: Hmm, symbols: Symbols) -> dict[tuple[int, ...], float]:
    """p(path, y) of every path through one sequence [T, D]."""
    result = {}
    for path in product(range(model.n_states), repeat=len(symbols)):
        p = model.start[path[0]]
        for before, after in pairwise(path):
            p *= model.transition[before, after]
        for z, digits in zip(path, symbols, strict=True):
            for d, digit in enumerate(digits):
                p *= model.emissions[d][z, digit] if digit >= 0 else 1
        result[path] = float(p)
    return result


def by_state(joint: dict[tuple[int, ...], float], t: int, n: int, pick: str = "sum") -> Floats:
    values = [[p for path, p in joint.items() if path[t] == state] for state in range(n)]
    found = np.array([sum(v) if pick == "sum" else max(v) for v in values])
    return np.asarray(found / found.sum())


@pytest.mark.parametrize("levels", [(4,), (3, 2, 2)])
@pytest.mark.parametrize("n", [1, 3])
def test_equals_enumeration_of_all_paths(n: int, levels: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    model = random_model(n, levels, rng)
    symbols = np.stack([rng.integers(-1, m, (5, 2)) for m in levels], axis=-1)
    alpha, log_scale = hmm.filter(model, symbols)
    gamma = hmm.smooth(model, symbols)
    best = hmm.max_product(model, symbols)
    for s in range(2):
        whole = joint(model, symbols[:, s])
        np.testing.assert_allclose(log_scale[:, s].sum(), np.log(sum(whole.values())), rtol=1e-10)
        for t in range(5):
            past = joint(model, symbols[: t + 1, s])
            np.testing.assert_allclose(alpha[t, :, s], by_state(past, t, n), rtol=1e-10)
            np.testing.assert_allclose(gamma[t, :, s], by_state(whole, t, n), rtol=1e-10)
            np.testing.assert_allclose(best[t, :, s], by_state(past, t, n, "max"), rtol=1e-10)
