"""Models: what follows from a state by enumeration of all paths, and names that survive any relabelling."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from predictor.baum_welch import random_model
from predictor.hmm import Hmm
from predictor.model import ABNORMAL, FAILED, HEALTH, LOAD, NORMAL, Recipe, align, name_states, permuted, readout
from predictor.symbols import sigma_levels, sigma_loads

N = len(HEALTH)
within_health = st.tuples(*[st.permutations(range(3))] * 3).map(
    lambda orders: np.concatenate([3 * health + np.array(order) for health, order in enumerate(orders)])
)
seeds = st.integers(0, 2**32 - 1)


def model_of(seed: int) -> Hmm:
    return random_model(N, sigma_levels(2), np.random.default_rng(seed))


def probability_failed_within(transition: NDArray[np.float64], start: int, steps: int) -> float:
    """The sum over all paths that touch a failed state: the first state counts, for it is where we stand."""
    total = 0.0
    for path in itertools.product(range(N), repeat=steps):
        states = (start, *path)
        if any(HEALTH[state] == FAILED for state in states):
            total += np.prod([transition[i, j] for i, j in itertools.pairwise(states)])
    return float(total)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_failed_within_is_the_sum_over_all_paths(steps: int) -> None:
    transition = model_of(1).transition
    weights = readout(transition[None], steps)[0]
    expected = [probability_failed_within(transition, state, steps) for state in range(N)]
    np.testing.assert_allclose(weights[:, 3], expected, rtol=1e-12)


def test_next_health_and_load_are_expectations() -> None:
    transition = model_of(2).transition
    weights = readout(np.stack([transition, np.eye(N)]), 1)
    for state in range(N):
        for health in (NORMAL, ABNORMAL, FAILED):
            expected = sum(transition[state, j] for j in range(N) if HEALTH[j] == health)
            np.testing.assert_allclose(weights[0, state, health], expected, rtol=1e-12)
        load = sum(transition[state, j] * LOAD[j] for j in range(N))
        np.testing.assert_allclose(weights[0, state, 4], load, rtol=1e-12)
    np.testing.assert_array_equal(weights[1, :, 4], LOAD)


@given(seed=seeds, order=within_health)
def test_names_do_not_depend_on_how_states_were_numbered(seed: int, order: NDArray[np.intp]) -> None:
    model, loads = model_of(seed), sigma_loads(2)
    named, renamed = name_states(model, loads), name_states(permuted(model, order), loads)
    assert_same(named, renamed)
    mean_load = sum(table @ worth for table, worth in zip(named.emissions, loads, strict=True))
    assert (np.diff(np.reshape(mean_load, (3, 3)), axis=1) >= 0).all()


@given(seed=seeds, order=within_health)
def test_alignment_undoes_any_permutation_within_health(seed: int, order: NDArray[np.intp]) -> None:
    model = model_of(seed)
    assert_same(align(permuted(model, order), model), model)


def test_alignment_never_exchanges_health() -> None:
    """Even where the emissions of two healths have changed places."""
    model = model_of(3)
    swapped = permuted(model, np.concatenate([np.arange(6, 9), np.arange(3, 6), np.arange(3)]))
    aligned = align(swapped, model)
    for health in (NORMAL, ABNORMAL, FAILED):
        own = {row.tobytes() for row in swapped.emissions[0][health == HEALTH]}
        assert {row.tobytes() for row in aligned.emissions[0][health == HEALTH]} == own


def test_permuted_model_is_the_same_process() -> None:
    model = model_of(4)
    order = np.random.default_rng(5).permutation(N)
    moved = permuted(model, order)
    for i, j in itertools.product(range(N), range(N)):
        assert moved.transition[i, j] == model.transition[order[i], order[j]]
    assert_same(permuted(moved, np.argsort(order)), model)


def test_recipe_is_the_paper_s_where_the_paper_says() -> None:
    assert Recipe().tolerance == 0.01
    assert (HEALTH.tolist(), LOAD.tolist()) == ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3)


def assert_same(one: Hmm, other: Hmm) -> None:
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.transition, other.transition)
    for table, same in zip(one.emissions, other.emissions, strict=True):
        np.testing.assert_array_equal(table, same)
