"""A fleet advanced step by step ends where inference over the whole series does."""

import numpy as np
import pytest

from predictor import hmm
from predictor.baum_welch import random_model
from predictor.ensemble import Ensemble
from tests.predictor.enumeration import draw


def test_advancing_equals_filtering() -> None:
    _, symbols = draw(0, n_steps=12, n_sequences=6)
    models = [draw(seed)[0] for seed in range(3)]
    ensemble = Ensemble.of(models)
    belief, log_scale = ensemble.update(ensemble.prior(6), symbols[0])
    for t in range(12):
        if t:
            belief, log_scale = ensemble.advance(belief, symbols[t])
        for r, model in enumerate(models):
            alpha, expected = hmm.filter(model, symbols)
            np.testing.assert_allclose(belief[r], alpha[t], rtol=1e-10)
            np.testing.assert_allclose(log_scale[r], expected[t], rtol=1e-10, atol=1e-12)


def test_advancing_along_the_best_path_equals_max_product() -> None:
    _, symbols = draw(0, n_steps=12, n_sequences=6)
    models = [draw(seed)[0] for seed in range(3)]
    ensemble = Ensemble.of(models)
    belief, _ = ensemble.update(ensemble.prior(6), symbols[0])
    for t in range(1, 12):
        belief, _ = ensemble.advance_best(belief, symbols[t])
    for r, model in enumerate(models):
        np.testing.assert_allclose(belief[r], hmm.max_product(model, symbols)[-1], rtol=1e-10)


def test_forecasts_and_absorbing_states_take_a_stack() -> None:
    models = [draw(seed)[0] for seed in range(3)]
    ensemble = Ensemble.of(models)
    belief = ensemble.prior(4)
    ahead = hmm.predict(belief, hmm.absorb(ensemble.transition, [1, 2]), 5)
    for r, model in enumerate(models):
        alone = hmm.predict(belief[r], hmm.absorb(model.transition, [1, 2]), 5)
        np.testing.assert_allclose(ahead[r], alone, rtol=1e-12)


def test_an_impossible_observation_leaves_the_others_alone() -> None:
    sure = hmm.Hmm(np.array([0.5, 0.5]), np.full((2, 2), 0.5), (np.array([[1.0, 0.0], [1.0, 0.0]]),))
    ensemble = Ensemble.of([sure, random_model(2, (2,), np.random.default_rng(1))])
    belief, log_scale = ensemble.update(ensemble.prior(2), np.array([[1], [0]]))
    np.testing.assert_array_equal(np.isneginf(log_scale), [[True, False], [False, False]])
    np.testing.assert_allclose(belief[0], 0.5, rtol=1e-12)


def test_models_that_differ_in_shape_are_no_ensemble() -> None:
    rng = np.random.default_rng(2)
    for models in ([], [random_model(2, (3,), rng), random_model(3, (3,), rng)]):
        with pytest.raises(ValueError, match="an ensemble needs at least one model, and all with the same numbers"):
            Ensemble.of(models)
