"""Training against hmmlearn, against truth, and what must hold for any data."""

import re
from typing import Any

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor import hmm
from predictor.baum_welch import fit, fit_restarts, random_model
from predictor.hmm import Hmm
from predictor.observations import Floats, Ints, Symbols
from tests.predictor.enumeration import draw

SEEDS = st.integers(0, 2**32 - 1)
TRUE = Hmm(
    np.array([0.6, 0.3, 0.1]),
    np.array([[0.9, 0.08, 0.02], [0.05, 0.9, 0.05], [0.1, 0.1, 0.8]]),
    (np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]), np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])),
)


def sample(model: Hmm, n_steps: int, n_sequences: int) -> tuple[Ints, Symbols]:
    """States `[T, S]` and symbols `[T, S, D]` drawn from `model`."""
    rng = np.random.default_rng(0)

    def pick(rows: Floats) -> Ints:
        return np.asarray((rng.random((len(rows), 1)) > rows.cumsum(axis=1)[:, :-1]).sum(axis=1))

    states = [pick(np.tile(model.start, (n_sequences, 1)))]
    while len(states) < n_steps:
        states.append(pick(model.transition[states[-1]]))
    symbols = [np.stack([pick(emission[z]) for emission in model.emissions], axis=-1) for z in states]
    return np.array(states), np.array(symbols)


def learned_nothing_else(**changes: Any) -> dict[str, Any]:
    return {"pseudo_count": 0, "emission_floor": 0, "tolerance": 0, **changes}


@pytest.mark.parametrize("lengths", [[40, 13, 1, 40, 27], [3000]])
def test_fit_equals_hmmlearn(lengths: list[int]) -> None:
    rng = np.random.default_rng(1)
    initial = random_model(3, (5,), rng)
    symbols = np.full((max(lengths), len(lengths), 1), -1)
    for s, length in enumerate(lengths):
        symbols[:length, s, 0] = rng.integers(0, 5, length)
    theirs = CategoricalHMM(3, implementation="scaling", n_iter=6, tol=-np.inf, init_params="", n_features=5)
    theirs.startprob_, theirs.transmat_, theirs.emissionprob_ = initial.start, initial.transition, initial.emissions[0]
    theirs.fit(np.concatenate([symbols[:length, s] for s, length in enumerate(lengths)]), lengths)

    ours = fit(
        symbols,
        np.array(lengths),
        levels=(5,),
        n_states=3,
        rng=0,
        initial=initial,
        max_iterations=6,
        **learned_nothing_else(),
    )
    np.testing.assert_allclose(ours.model.start, theirs.startprob_, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ours.model.transition, theirs.transmat_, rtol=1e-6)
    np.testing.assert_allclose(ours.model.emissions[0], theirs.emissionprob_, rtol=1e-6)
    np.testing.assert_allclose(ours.log_likelihoods, theirs.monitor_.history, rtol=1e-6)
    assert (ours.iterations, ours.converged) == (6, False)


def test_fit_finds_the_model_that_made_the_data() -> None:
    _, symbols = sample(TRUE, 500, 200)
    start = Hmm(
        np.full(3, 1 / 3),
        np.full((3, 3), 0.1) + 0.7 * np.eye(3),
        (np.full((3, 3), 0.2) + 0.4 * np.eye(3), TRUE.emissions[1]),
    )
    found = fit(symbols, levels=(3, 2), n_states=3, rng=0, initial=start, tolerance=1e-4)
    assert found.converged
    np.testing.assert_allclose(found.model.transition, TRUE.transition, atol=0.02)
    np.testing.assert_allclose(found.model.emissions[0], TRUE.emissions[0], atol=0.02)
    np.testing.assert_allclose(found.model.emissions[1], TRUE.emissions[1], atol=0.02)


def penalised(model: Hmm, symbols: Symbols, pseudo_count: float) -> float:
    """Log posterior under the Dirichlet prior that pseudo-counts stand for."""
    rows = (model.start, model.transition, *model.emissions)
    prior = pseudo_count * sum(np.log(row).sum() for row in rows) if pseudo_count else 0
    return float(hmm.log_likelihood(model, symbols).sum() + prior)


@settings(max_examples=40)
@given(seed=SEEDS, pseudo_count=st.sampled_from([0.0, 1e-3, 0.5]), n_steps=st.sampled_from([1, 7, 300]))
def test_likelihood_never_falls(seed: int, pseudo_count: float, n_steps: int) -> None:
    model, symbols = draw(seed, n_steps=n_steps)
    before = penalised(model, symbols, pseudo_count)
    for _ in range(5):
        options = learned_nothing_else(pseudo_count=pseudo_count, max_iterations=1)
        model = fit(symbols, levels=(3, 2), n_states=3, rng=0, initial=model, **options).model
        after = penalised(model, symbols, pseudo_count)
        assert after >= before - 1e-9 * (1 + abs(before))
        before = after


@settings(max_examples=20)
@given(seed=SEEDS, order=st.permutations(range(3)))
def test_relabelling_states_relabels_the_fit(seed: int, order: list[int]) -> None:
    model, symbols = draw(seed, n_steps=30)
    other = Hmm(model.start[order], model.transition[np.ix_(order, order)], tuple(e[order] for e in model.emissions))
    one, two = (
        fit(symbols, levels=(3, 2), n_states=3, rng=0, initial=m, max_iterations=5).model for m in (model, other)
    )
    np.testing.assert_allclose(two.start, one.start[order], rtol=1e-6)
    np.testing.assert_allclose(two.transition, one.transition[np.ix_(order, order)], rtol=1e-6)
    np.testing.assert_allclose(two.emissions[0], one.emissions[0][order], rtol=1e-6)


@settings(max_examples=20)
@given(seed=SEEDS, more=st.integers(1, 400))
def test_padding_changes_nothing(seed: int, more: int) -> None:
    _, symbols = draw(seed, n_steps=20)
    padded = np.concatenate([symbols, np.full((more, 2, 2), -1)])
    one = fit(symbols, levels=(3, 2), n_states=3, rng=seed, max_iterations=5).model
    two = fit(padded, np.array([20, 20]), levels=(3, 2), n_states=3, rng=seed, max_iterations=5).model
    np.testing.assert_allclose(two.start, one.start, rtol=1e-8)
    np.testing.assert_allclose(two.transition, one.transition, rtol=1e-8)
    np.testing.assert_allclose(two.emissions[1], one.emissions[1], rtol=1e-8)


def test_labels_confine_states() -> None:
    states, symbols = sample(TRUE, 200, 30)
    labels = np.where(states == 2, 1, 0)
    found = fit(
        symbols, levels=(3, 2), n_states=3, rng=0, labels=labels, label_of_state=[0, 0, 1], tolerance=1e-4
    ).model
    failed = labels == 1
    leave = np.bincount(labels[1:][failed[:-1]], minlength=2)
    np.testing.assert_allclose(found.transition[2, 2], leave[1] / leave.sum(), atol=0.01)
    share = np.bincount(symbols[..., 0][failed], minlength=3) / failed.sum()
    np.testing.assert_allclose(found.emissions[0][2], share, atol=0.01)


def test_labels_of_some_sequences_name_the_states_of_all() -> None:
    states, symbols = sample(TRUE, 300, 30)
    labels = np.full(states.shape, -1)
    labels[:, ::2] = states[:, ::2]
    found = fit(symbols, levels=(3, 2), n_states=3, rng=3, labels=labels, label_of_state=[0, 1, 2]).model
    np.testing.assert_allclose(found.emissions[0], TRUE.emissions[0], atol=0.05)


def test_unlabelled_data_need_no_labels() -> None:
    _, symbols = draw(4, n_steps=30)
    unlabelled = np.full(symbols.shape[:2], -1)
    one = fit(symbols, levels=(3, 2), n_states=3, rng=5)
    two = fit(symbols, levels=(3, 2), n_states=3, rng=5, labels=unlabelled, label_of_state=[0, 1, 1])
    np.testing.assert_allclose(two.log_likelihoods, one.log_likelihoods, rtol=1e-10)


def test_fit_stops_when_no_probability_moves_by_more_than_the_tolerance() -> None:
    _, symbols = sample(TRUE, 200, 10)
    whole = fit(symbols, levels=(3, 2), n_states=3, rng=6)
    assert whole.converged
    assert whole.iterations == len(whole.log_likelihoods)

    def moved(iterations: int) -> float:
        before, after = (
            fit(symbols, levels=(3, 2), n_states=3, rng=6, max_iterations=n, tolerance=0).model
            for n in (iterations - 1, iterations)
        )
        pairs = [(before.start, after.start), (before.transition, after.transition)]
        pairs += zip(before.emissions, after.emissions, strict=True)
        return max(float(abs(b - a).max()) for b, a in pairs)

    assert moved(whole.iterations) <= 0.01 < moved(whole.iterations - 1)


def test_no_emission_falls_below_the_floor() -> None:
    symbols = np.zeros((50, 2, 1), dtype=int)
    found = fit(symbols, levels=(4,), n_states=2, rng=7, pseudo_count=0, emission_floor=1e-4)
    assert found.model.emissions[0].min() >= 1e-4 / 1.001
    assert np.isfinite(hmm.log_likelihood(found.model, np.array([[[3]]]))).all()


def test_pseudo_counts_keep_everything_possible() -> None:
    symbols = np.zeros((50, 2, 1), dtype=int)
    model = fit(symbols, levels=(4,), n_states=2, rng=8, emission_floor=0).model
    assert min(model.start.min(), model.transition.min(), model.emissions[0].min()) > 0


@pytest.mark.parametrize("n_steps", [1, 400])
def test_data_without_evidence_teach_nothing(n_steps: int) -> None:
    """All missing, no pseudo-counts: emissions stay what they were, whatever the chain does."""
    initial, _ = draw(9)
    unseen = np.full((n_steps, 2, 2), -1)
    found = fit(unseen, levels=(3, 2), n_states=3, rng=0, initial=initial, max_iterations=2, **learned_nothing_else())
    np.testing.assert_allclose(found.model.emissions[0], initial.emissions[0], rtol=1e-12)
    np.testing.assert_allclose(found.model.transition, initial.transition, rtol=1e-8)
    np.testing.assert_allclose(found.log_likelihoods, 0, atol=1e-8)


def test_one_state_learns_frequencies() -> None:
    _, symbols = draw(10, n_steps=60)
    found = fit(symbols, levels=(3, 2), n_states=1, rng=0, **learned_nothing_else(tolerance=1e-9)).model
    for d, m in enumerate((3, 2)):
        digit = symbols[..., d]
        np.testing.assert_allclose(
            found.emissions[d][0], np.bincount(digit[digit >= 0], minlength=m) / (digit >= 0).sum(), rtol=1e-10
        )


def test_restarts_differ_and_repeat() -> None:
    _, symbols = sample(TRUE, 100, 5)
    first, again = (fit_restarts(symbols, restarts=3, rng=11, levels=(3, 2), n_states=3) for _ in range(2))
    assert len({fit.log_likelihoods[-1] for fit in first}) == 3
    assert [fit.log_likelihoods for fit in first] == [fit.log_likelihoods for fit in again]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbols": np.zeros((0, 1, 1), dtype=int)}, "there is nothing to learn from: symbols are empty"),
        ({"symbols": np.full((2, 1, 1), 3)}, "digit 0 runs from 3 to 3"),
        ({"lengths": np.array([3])}, "lengths must be 1 numbers from 1 to 2"),
        ({"lengths": np.array([1, 1])}, "lengths must be 1 numbers from 1 to 2"),
        ({"lengths": np.array([1])}, "symbols and labels beyond a sequence's length must be missing (-1)"),
        ({"labels": np.zeros((2, 1), dtype=int)}, "labels need label_of_state: the label of each of the 2 states"),
        ({"labels": np.zeros((2, 1), dtype=int), "label_of_state": [0]}, "labels need label_of_state"),
        ({"labels": np.full((2, 1), 2), "label_of_state": [0, 1]}, "digit 1 runs from 2 to 2"),
        ({"initial": TRUE}, "initial has 3 states and levels (3, 2), not 2 and (3,)"),
    ],
)
def test_what_cannot_be_fitted_is_refused(changes: dict[str, Any], words: str) -> None:
    given = {"symbols": np.zeros((2, 1, 1), dtype=int), "levels": (3,), "n_states": 2, "rng": 0, **changes}
    with pytest.raises(ValueError, match=re.escape(words)):
        fit(**given)
