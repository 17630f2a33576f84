"""Forecasts: step by step is at once, probabilities are such, gaps and losses tell nothing that is not there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from predictor.baum_welch import random_model
from predictor.calibration import Calibration
from predictor.forecast import Forecast, Signals, advance, begin, track, voice
from predictor.hmm import Hmm
from predictor.model import HEALTH, Calm, Chains, Mode, Model, Recipe
from predictor.rarity import Rarity
from predictor.symbols import History, mean_levels, sigma_levels

Floats = NDArray[np.float64]

FIELDS = ("p_normal", "p_abnormal", "p_failed", "p_failed_within", "load", "learned", "surprise")
S, M = 3, 4
HISTORY = History(np.full((S, M), 10.0), np.full((S, M), 1.0))
modes = st.sampled_from(["default", "paper"])
MODES = pytest.mark.parametrize("mode", ["default", "paper"])


def model_of(mode: Mode, seed: int = 1, *, knows_failures: bool = True) -> Model:
    """No trained model, but any."""
    rng = np.random.default_rng(seed)
    levels = mean_levels(M) if mode == "paper" else sigma_levels(M)
    hmms = tuple(random_model(len(HEALTH), levels, rng) for _ in range(1 if mode == "paper" else 3))
    calm = Calm(Rarity(np.linspace(0, 0.6, 50)), Rarity(np.linspace(-1, 5, 50)), 1.0, 2.0)
    return Model(Chains(Recipe(mode=mode), hmms, knows_failures), ("a", "b", "c", "d"), calm, Calibration(0.6, -1.0))


def measured(seed: int, steps: int = 40, missing: float = 0.2) -> Floats:
    """`[T, S, M]` with spikes, holes, and steps in which a domain was not seen at all."""
    rng = np.random.default_rng(seed)
    values = 10 + rng.standard_t(2, size=(steps, S, M))
    values[rng.random(values.shape) < missing] = np.nan
    values[rng.random(values.shape[:2]) < missing] = np.nan
    return values


@settings(max_examples=30)
@given(mode=modes, seed=st.integers(0, 2**32 - 1))
def test_step_by_step_is_at_once(mode: Mode, seed: int) -> None:
    model, values = model_of(mode, seed), measured(seed)
    at_once = track(model, HISTORY, values)
    watch = begin(S, M)
    for t, step in enumerate(values):
        watch, forecast = advance(model, HISTORY, watch, step)
        for name in FIELDS:
            np.testing.assert_allclose(getattr(forecast, name), getattr(at_once, name)[t], rtol=1e-9, atol=1e-12)


@given(mode=modes, seed=st.integers(0, 2**32 - 1))
def test_next_health_is_a_distribution(mode: Mode, seed: int) -> None:
    forecast = track(model_of(mode, seed), HISTORY, measured(seed, missing=0.0))
    p = np.stack([forecast.p_normal, forecast.p_abnormal, forecast.p_failed])
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=0), 1, rtol=1e-12)
    assert (forecast.p_failed <= forecast.p_failed_within).all()
    assert ((forecast.p_failed_within >= 0) & (forecast.p_failed_within <= 1)).all()
    assert ((forecast.load >= 0) & (forecast.load <= 2)).all()


@MODES
def test_nothing_is_known_before_anything_was_seen(mode: Mode) -> None:
    values = measured(1, missing=0.0)
    values[:5, 0] = np.nan
    forecast = track(model_of(mode), HISTORY, values)
    for name in (*FIELDS, "evidence", "p_abnormal_next"):
        assert np.isnan(getattr(forecast, name)[:5, 0]).all()
        assert not np.isnan(getattr(forecast, name)[5:]).any()
        assert not np.isnan(getattr(forecast, name)[:, 1:]).any()


def test_unseen_step_is_a_prediction_without_news() -> None:
    model, values = model_of("default"), measured(2, missing=0.0)
    values[20:] = np.nan
    forecast = track(model, HISTORY, values)
    np.testing.assert_array_equal(forecast.surprise[20:], np.broadcast_to(forecast.surprise[19], (20, S)))
    far = Forecast(*(getattr(forecast, name)[-1] for name in FIELDS[:5]), learned=np.empty(0), surprise=np.empty(0))
    np.testing.assert_allclose(far.p_normal, stationary_health(model), rtol=1e-3)


def test_unseen_step_is_no_surprisal() -> None:
    values = measured(2, missing=0.0)
    values[20:] = np.nan
    model = model_of("default", knows_failures=False)
    model = replace(model, calm=replace(model.calm, learned=Rarity(np.linspace(0, 10, 500))))
    learned = track(model, HISTORY, values).learned
    assert len(np.unique(learned[:20, 0])) > 1
    np.testing.assert_array_equal(learned[20:], np.broadcast_to(learned[19], (20, S)))


def stationary_health(model: Model) -> float:
    """P(normal) in the long run, the mean over the models."""
    shares = []
    for hmm in model.chains.hmms:
        values, vectors = np.linalg.eig(hmm.transition.T)
        long_run = np.real(vectors[:, np.argmax(np.real(values))])
        shares.append((long_run / long_run.sum())[HEALTH == 0].sum())
    return float(np.mean(shares))


def test_lost_metric_tells_nothing_of_health() -> None:
    """As if its digit told no state from another; and at its mean it moves and rises no more than if it were lost."""
    model, values = model_of("default"), measured(3, missing=0.0)
    deaf_hmms = tuple(deaf_to(1, hmm) for hmm in model.chains.hmms)
    deaf = replace(model, chains=replace(model.chains, hmms=deaf_hmms))
    lost, at_mean = values.copy(), values.copy()
    lost[:, :, 1], at_mean[:, :, 1] = np.nan, HISTORY.mean[:, 1]
    one, other = track(model, HISTORY, lost), track(deaf, HISTORY, at_mean)
    for name in ("p_normal", "p_abnormal", "p_failed", "p_failed_within", "load"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9)
    assert np.abs(one.p_failed - track(model, HISTORY, values).p_failed).max() > 1e-3


def deaf_to(digit: int, hmm: Hmm) -> Hmm:
    """The same model, but every level of the digit is as likely in every state."""
    tables = list(hmm.emissions)
    tables[digit] = np.full_like(tables[digit], 1 / tables[digit].shape[1])
    return Hmm(hmm.start, hmm.transition, tuple(tables))


class TestVoices:
    """What they say of signals given by hand."""

    STEPS = 101
    RISING = np.linspace(-2, 8, STEPS)[:, None]
    FLAT = np.zeros((STEPS, 1))

    def signals(self, *, within: Floats = FLAT, surprisal: Floats = FLAT, rise: Floats = FLAT) -> Signals:
        expected = np.stack([1 - within, self.FLAT, within, within, self.FLAT], axis=-1)
        return Signals(expected, surprisal, rise)

    def test_surprise_is_how_rare_the_rise_is(self) -> None:
        forecast = voice(model_of("default"), self.signals(rise=self.RISING))
        assert (np.diff(forecast.surprise[:, 0]) >= 0).all()
        np.testing.assert_array_equal(forecast.learned, forecast.learned[0, 0])
        np.testing.assert_allclose(forecast.surprise[[0, -1], 0], [0, np.log10(51)], rtol=1e-12)

    def test_learned_is_how_rare_the_probability_of_failure_is(self) -> None:
        forecast = voice(model_of("default"), self.signals(within=np.linspace(0, 1, self.STEPS)[:, None]))
        for name in ("learned", "p_failed_within", "evidence"):
            assert (np.diff(getattr(forecast, name)[:, 0]) >= 0).all()
            assert getattr(forecast, name)[-1, 0] > getattr(forecast, name)[0, 0]

    def test_without_labelled_failures_learned_is_the_surprisal(self) -> None:
        model = model_of("default", knows_failures=False)
        surprisal = np.linspace(0, 1, self.STEPS)[:, None]
        forecast = voice(model, self.signals(within=surprisal[::-1], surprisal=surprisal))
        np.testing.assert_array_equal(forecast.learned, model.calm.learned.decades(surprisal))

    def test_paper_goes_by_the_next_state_not_being_normal(self) -> None:
        model = model_of("paper")
        forecast = voice(model, self.signals(within=np.linspace(0, 1, self.STEPS)[:, None]))
        np.testing.assert_allclose(
            forecast.learned, model.calm.learned.decades(forecast.p_abnormal + forecast.p_failed), rtol=1e-9
        )

    def test_what_calibration_takes_from_failed_is_abnormal(self) -> None:
        model = model_of("default")
        signals = self.signals(within=np.linspace(0, 1, self.STEPS)[:, None])
        raw = voice(replace(model, calibration=Calibration()), signals)
        honest = voice(model, signals)
        np.testing.assert_array_equal(honest.p_failed_within, model.calibration.honest(raw.p_failed_within))
        np.testing.assert_array_equal(honest.p_normal, raw.p_normal)
        np.testing.assert_allclose(honest.p_abnormal_next, raw.p_abnormal_next, rtol=1e-12)
        np.testing.assert_array_equal(honest.evidence, raw.evidence)
        assert (honest.p_failed <= np.minimum(raw.p_failed, honest.p_failed_within)).all()
        assert honest.p_failed[-1, 0] < raw.p_failed[-1, 0]

    def test_either_voice_raises_the_evidence(self) -> None:
        model = model_of("default")
        learned = voice(model, self.signals(within=np.linspace(0, 1, self.STEPS)[:, None])).evidence
        surprised = voice(model, self.signals(rise=self.RISING)).evidence
        for evidence in (learned, surprised):
            assert evidence[-1, 0] > evidence[0, 0] + 1
