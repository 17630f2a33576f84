"""Chunks side by side give what one step after another gives, whether the model forgets or not."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest

from predictor import hmm, recursions
from predictor.baum_welch import random_model
from predictor.chain import backward, forward_pass
from predictor.columns import fold
from predictor.hmm import Hmm
from predictor.observations import Floats, Symbols

Passed = TypeVar("Passed")


def one_after_another(model: Hmm, symbols: Symbols) -> tuple[Floats, Floats, Floats]:
    """Filtered beliefs, log scales and smoothed beliefs by the textbook's recursions."""
    emitted = hmm.likelihoods(model, symbols)
    alpha, log_scale = np.empty_like(emitted), np.empty((len(emitted), emitted.shape[2]))
    prior = np.repeat(model.start[:, None], emitted.shape[2], axis=1)
    for t, weights in enumerate(emitted):
        alpha[t], log_scale[t] = hmm.update(prior, weights)
        prior = model.transition.T @ alpha[t]
    gamma, beta = alpha.copy(), np.ones_like(prior)
    for t in range(len(emitted) - 1, 0, -1):
        beta = model.transition @ (emitted[t] * beta / np.exp(log_scale[t]))
        gamma[t - 1] *= beta
    return alpha, log_scale, gamma


def sticky(stay: float) -> Hmm:
    """A model that leaves a state with 1 - stay, and whose states look almost alike."""
    transition = stay * np.eye(3) + (1 - stay) * np.roll(np.eye(3), 1, axis=1)
    emission = np.array([[0.34, 0.33, 0.33], [0.33, 0.34, 0.33], [0.33, 0.33, 0.34]])
    return Hmm(np.array([0.98, 0.01, 0.01]), transition, (emission,))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(random_model(5, (3,), np.random.default_rng(0)), id="forgetful"),
        pytest.param(sticky(0.99), id="forgetting slowly"),
        pytest.param(sticky(1.0), id="never forgetting"),
        pytest.param(sticky(0.0), id="going round"),
        pytest.param(
            Hmm(np.array([1.0, 0, 0]), hmm.absorb(sticky(0.99).transition, [2]), (np.eye(3) * 0.7 + 0.1,)), id="ending"
        ),
    ],
)
@pytest.mark.parametrize(("n_steps", "n_sequences"), [(5001, 1), (700, 3)])
def test_chunks_equal_one_step_after_another(model: Hmm, n_steps: int, n_sequences: int) -> None:
    symbols = np.random.default_rng(1).integers(-1, 3, (n_steps, n_sequences, 1))
    symbols[200:600, 0] = -1  # a gap longer than a chunk
    assert fold(symbols[..., 0], 0).n_edges > 0
    alpha, log_scale, gamma = one_after_another(model, symbols)
    ours, our_scale = hmm.filter(model, symbols)
    np.testing.assert_allclose(ours, alpha, rtol=1e-10)
    np.testing.assert_allclose(our_scale, log_scale, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(hmm.smooth(model, symbols), gamma, rtol=1e-10)
    np.testing.assert_allclose(hmm.log_likelihood(model, symbols), log_scale.sum(axis=0), rtol=1e-10)


@pytest.mark.parametrize("stay", [0.0, 1.0])
def test_a_model_that_never_forgets_does_not_take_a_round_for_each_chunk(
    stay: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbols = np.random.default_rng(2).integers(0, 3, (12_000, 1, 1))
    passes: list[str] = []

    def counted(one_pass: Callable[..., Passed]) -> Callable[..., Passed]:
        def run(*arguments: object) -> Passed:
            passes.append(one_pass.__name__)
            return one_pass(*arguments)

        return run

    monkeypatch.setattr(recursions, "forward_pass", counted(forward_pass))
    monkeypatch.setattr(recursions, "backward", counted(backward))
    hmm.smooth(sticky(stay), symbols)
    assert fold(symbols[..., 0], 0).n_edges > 80
    assert 2 < passes.count("forward_pass") < 20
    assert 2 < passes.count("backward") < 20
