"""Inference against the enumeration of all paths, hmmlearn, and what must hold for any model."""

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor import hmm
from predictor.baum_welch import random_model
from predictor.hmm import Hmm
from predictor.observations import Floats
from tests.predictor.enumeration import Paths, draw

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = pytest.mark.parametrize(("n_states", "levels"), [(1, (3,)), (2, (4,)), (3, (5,)), (3, (3, 2, 2))])


@SHAPES
def test_beliefs_equal_enumeration_of_all_paths(n_states: int, levels: tuple[int, ...]) -> None:
    model, symbols = draw(1, n_states=n_states, levels=levels)
    alpha, log_scale = hmm.filter(model, symbols)
    gamma = hmm.smooth(model, symbols)
    best = hmm.max_product(model, symbols)
    for s in range(symbols.shape[1]):
        whole = Paths.through(model, symbols[:, s])
        np.testing.assert_allclose(log_scale[:, s].sum(), np.log(whole.p.sum()), rtol=1e-10)
        np.testing.assert_allclose(hmm.log_likelihood(model, symbols)[s], np.log(whole.p.sum()), rtol=1e-10)
        for t in range(len(symbols)):
            past = Paths.through(model, symbols[: t + 1, s])
            np.testing.assert_allclose(alpha[t, :, s], past.state_at(t), rtol=1e-10)
            np.testing.assert_allclose(best[t, :, s], past.best_at(t), rtol=1e-10)
            np.testing.assert_allclose(gamma[t, :, s], whole.state_at(t), rtol=1e-10)


@SHAPES
def test_forecast_equals_enumeration_of_all_paths(n_states: int, levels: tuple[int, ...]) -> None:
    model, symbols = draw(2, n_states=n_states, levels=levels, n_steps=3)
    alpha, _ = hmm.filter(model, symbols)
    failed = n_states - 1
    for h in range(4):
        ahead = hmm.predict(alpha[-1], model.transition, h)
        ever = hmm.predict(alpha[-1], hmm.absorb(model.transition, [failed]), h)
        for s in range(symbols.shape[1]):
            paths = Paths.through(model, np.concatenate([symbols[:, s], np.full((h, len(levels)), -1)]))
            reached = (paths.states[:, 2:] == failed).any(axis=1)
            np.testing.assert_allclose(ahead[:, s], paths.state_at(2 + h), rtol=1e-10)
            np.testing.assert_allclose(ever[failed, s], paths.p[reached].sum() / paths.p.sum(), rtol=1e-10)


@pytest.mark.parametrize(("n_steps", "n_sequences"), [(60, 7), (2500, 1)])
def test_inference_equals_hmmlearn(n_steps: int, n_sequences: int) -> None:
    rng = np.random.default_rng(3)
    model = random_model(4, (6,), rng)
    symbols = rng.integers(0, 6, (n_steps, n_sequences, 1))
    theirs = CategoricalHMM(4, implementation="scaling")
    theirs.startprob_, theirs.transmat_, theirs.emissionprob_ = model.start, model.transition, model.emissions[0]
    series, lengths = symbols.swapaxes(0, 1).reshape(-1, 1), [n_steps] * n_sequences
    log_likelihood, posteriors = theirs.score_samples(series, lengths)
    np.testing.assert_allclose(hmm.log_likelihood(model, symbols).sum(), log_likelihood, rtol=1e-6)
    np.testing.assert_allclose(hmm.filter(model, symbols)[1].sum(), log_likelihood, rtol=1e-6)
    ours = np.moveaxis(hmm.smooth(model, symbols), 2, 0).reshape(-1, 4)
    np.testing.assert_allclose(ours, posteriors, rtol=1e-6)


def as_misprinted(best: Floats, transition: Floats) -> Floats:
    """Lines 10-17 of the paper's Algorithm 1 as printed: C_ij = F_iT sum_k A_kj, P_i = sum_k C_ki, normalised."""
    c = best[:, None] * transition.sum(axis=0)[None, :]
    return np.asarray(c.sum(axis=0) / c.sum())


def test_misprinted_algorithm_1_does_not_depend_on_the_observations() -> None:
    model = random_model(9, (24,), np.random.default_rng(4))
    series = np.random.default_rng(5).integers(0, 24, (50, 2, 1))
    best = hmm.max_product(model, series)[-1]
    misprinted = [as_misprinted(best[:, s], model.transition) for s in range(2)]
    np.testing.assert_allclose(misprinted[0], misprinted[1], rtol=1e-12)

    meant = hmm.predict(best, model.transition, 1)
    np.testing.assert_allclose(meant[:, 0], [best[:, 0] @ model.transition[:, j] for j in range(9)], rtol=1e-12)
    assert abs(meant[:, 0] - meant[:, 1]).max() > 0.01


def test_no_steps_give_no_beliefs() -> None:
    model, symbols = draw(6, n_steps=0)
    assert hmm.filter(model, symbols)[0].shape == (0, 3, 2)
    assert hmm.filter(model, symbols)[1].shape == (0, 2)
    assert hmm.smooth(model, symbols).shape == (0, 3, 2)
    assert hmm.max_product(model, symbols).shape == (0, 3, 2)
    np.testing.assert_array_equal(hmm.log_likelihood(model, symbols), [0, 0])


def test_no_sequences_give_no_beliefs() -> None:
    model, symbols = draw(6, n_sequences=0)
    assert hmm.filter(model, symbols)[0].shape == (5, 3, 0)
    assert hmm.smooth(model, symbols).shape == (5, 3, 0)
    assert hmm.log_likelihood(model, symbols).shape == (0,)


def test_unobserved_steps_are_predictions() -> None:
    model, _ = draw(7)
    alpha, log_scale = hmm.filter(model, np.full((4, 1, 2), -1))
    for t in range(4):
        expected = hmm.predict(model.start[:, None], model.transition, t)
        np.testing.assert_allclose(alpha[t], expected, rtol=1e-12)
    np.testing.assert_allclose(log_scale, 0, atol=1e-12)


def test_an_absorbing_state_is_never_left() -> None:
    model, symbols = draw(8)
    stuck = Hmm(np.array([0.0, 0.0, 1.0]), hmm.absorb(model.transition, [2]), model.emissions)
    np.testing.assert_allclose(hmm.filter(stuck, symbols)[0][:, 2], 1, rtol=1e-12)
    np.testing.assert_allclose(hmm.smooth(stuck, symbols)[:, 2], 1, rtol=1e-12)


def test_states_that_emit_alike_learn_nothing_from_what_is_seen() -> None:
    model, symbols = draw(9)
    alike = Hmm(model.start, model.transition, tuple(np.tile(e[:1], (3, 1)) for e in model.emissions))
    unseen = np.full_like(symbols, -1)
    np.testing.assert_allclose(hmm.filter(alike, symbols)[0], hmm.filter(alike, unseen)[0], rtol=1e-12)


def test_rare_symbols_in_long_series_do_not_underflow() -> None:
    rows = np.array([[1 - 1e-300, 1e-300]] * 2)
    model = Hmm(np.array([0.5, 0.5]), np.full((2, 2), 0.5), (rows, rows))
    symbols = np.zeros((5000, 1, 2), dtype=int)
    symbols[..., 0] = 1
    np.testing.assert_allclose(hmm.log_likelihood(model, symbols), 5000 * np.log(1e-300), rtol=1e-10)
    np.testing.assert_allclose(hmm.filter(model, symbols)[0], 0.5, rtol=1e-10)
    np.testing.assert_allclose(hmm.smooth(model, symbols), 0.5, rtol=1e-10)


@pytest.fixture
def blind() -> Hmm:
    """A model of which no state can emit level 2."""
    rng = np.random.default_rng(10)
    return Hmm(rng.dirichlet([1, 1]), rng.dirichlet([1, 1], 2), (np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]),))


def test_an_impossible_observation_leaves_the_prediction(blind: Hmm) -> None:
    symbols = np.array([[0, 0], [2, 1], [1, 1]])[..., None]
    passed_over = np.where(symbols == 2, -1, symbols)
    alpha, log_scale = hmm.filter(blind, symbols)
    np.testing.assert_array_equal(np.isneginf(log_scale), [[False, False], [True, False], [False, False]])
    np.testing.assert_allclose(alpha, hmm.filter(blind, passed_over)[0], rtol=1e-12)
    np.testing.assert_allclose(hmm.smooth(blind, symbols), hmm.smooth(blind, passed_over), rtol=1e-12)
    np.testing.assert_allclose(hmm.max_product(blind, symbols), hmm.max_product(blind, passed_over), rtol=1e-12)
    np.testing.assert_array_equal(np.isneginf(hmm.log_likelihood(blind, symbols)), [True, False])


def test_nothing_but_impossible_observations_are_unobserved_ones(blind: Hmm) -> None:
    symbols = np.full((3000, 1, 1), 2)
    unseen = np.full_like(symbols, -1)
    np.testing.assert_allclose(hmm.filter(blind, symbols)[0], hmm.filter(blind, unseen)[0], rtol=1e-10)
    np.testing.assert_array_equal(hmm.log_likelihood(blind, symbols), -np.inf)


HALVES = np.array([0.5, 0.5])


@pytest.mark.parametrize(
    ("start", "transition", "emissions", "words"),
    [
        (np.array([0.5, 0.6]), np.eye(2), (np.eye(2),), "start must hold distributions"),
        (np.array([1.5, -0.5]), np.eye(2), (np.eye(2),), "start must hold distributions"),
        (HALVES, np.array([[np.nan, 1], [0, 1]]), (np.eye(2),), "transition must hold distributions"),
        (HALVES, np.eye(3), (np.eye(2),), r"transition has shape \(3, 3\), must be \(2, 2\)"),
        (HALVES, np.eye(2), (), "emissions must hold at least one table"),
        (HALVES, np.eye(2), (np.eye(2), np.full((3, 2), 0.5)), r"emissions\[1\] has shape \(3, 2\), must be \(2, 2\)"),
        (HALVES, np.eye(2), (HALVES,), r"emissions\[0\] has shape \(2,\)"),
        (HALVES, np.eye(2), (np.empty((2, 0)),), r"emissions\[0\] has shape \(2, 0\)"),
    ],
)
def test_what_is_no_model_is_refused(
    start: Floats, transition: Floats, emissions: tuple[Floats, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Hmm(start, transition, emissions)


@given(seed=SEEDS)
def test_beliefs_are_distributions(seed: int) -> None:
    model, symbols = draw(seed, n_steps=20, n_sequences=4)
    for beliefs in (hmm.filter(model, symbols)[0], hmm.smooth(model, symbols), hmm.max_product(model, symbols)):
        assert (beliefs >= 0).all()
        np.testing.assert_allclose(beliefs.sum(axis=1), 1, rtol=1e-12)
    within = [hmm.predict(hmm.filter(model, symbols)[0], hmm.absorb(model.transition, [0]), h)[:, 0] for h in range(9)]
    assert (np.diff(within, axis=0) >= -1e-15).all(), "failed within h + 1 steps is no less likely than within h"


@given(seed=SEEDS, order=st.permutations(range(3)))
def test_relabelling_states_changes_nothing(seed: int, order: list[int]) -> None:
    model, symbols = draw(seed)
    other = Hmm(model.start[order], model.transition[np.ix_(order, order)], tuple(e[order] for e in model.emissions))
    np.testing.assert_allclose(hmm.log_likelihood(other, symbols), hmm.log_likelihood(model, symbols), rtol=1e-10)
    np.testing.assert_allclose(hmm.smooth(other, symbols), hmm.smooth(model, symbols)[:, order], rtol=1e-10)
    np.testing.assert_allclose(hmm.max_product(other, symbols), hmm.max_product(model, symbols)[:, order], rtol=1e-10)


@given(seed=SEEDS, more=st.integers(1, 9))
def test_padding_changes_nothing(seed: int, more: int) -> None:
    model, symbols = draw(seed)
    padded = np.concatenate([symbols, np.full((more, *symbols.shape[1:]), -1)])
    np.testing.assert_allclose(hmm.filter(model, padded)[0][:5], hmm.filter(model, symbols)[0], rtol=1e-12)
    np.testing.assert_allclose(hmm.smooth(model, padded)[:5], hmm.smooth(model, symbols), rtol=1e-10)
    np.testing.assert_allclose(hmm.log_likelihood(model, padded), hmm.log_likelihood(model, symbols), rtol=1e-10)


@given(seed=SEEDS)
def test_independent_digits_equal_the_joint_symbol_of_their_product_table(seed: int) -> None:
    model, symbols = draw(seed)
    symbols[symbols == -1] = 0
    product = np.einsum("ni,nj->nij", *model.emissions).reshape(3, 6)
    joint = Hmm(model.start, model.transition, (product,))
    joint_symbols = symbols[..., :1] * 2 + symbols[..., 1:]
    np.testing.assert_allclose(hmm.likelihoods(model, symbols), hmm.likelihoods(joint, joint_symbols), rtol=1e-12)
    np.testing.assert_allclose(hmm.filter(model, symbols)[1], hmm.filter(joint, joint_symbols)[1], rtol=1e-10)
    np.testing.assert_allclose(hmm.smooth(model, symbols), hmm.smooth(joint, joint_symbols), rtol=1e-10)


@settings(max_examples=20)
@given(seed=SEEDS, fewest=st.integers(1, 400))
def test_sequences_side_by_side_do_not_see_each_other(seed: int, fewest: int) -> None:
    model, symbols = draw(seed, n_steps=fewest, n_sequences=5)
    together = hmm.smooth(model, symbols)
    for s in range(5):
        np.testing.assert_allclose(together[..., s : s + 1], hmm.smooth(model, symbols[:, s : s + 1]), rtol=1e-10)
