"""A model, histories and metrics come in; what is to be expected of each domain, now or at every step, goes out."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from predictor import hmm
from predictor.model import Chains, Model, Recipe
from predictor.observations import MISSING
from predictor.symbols import History, Trend, average, follow, last, mean_symbols, sigma_symbols, standardise

Floats = NDArray[np.float64]
Symbols = NDArray[np.intp]


@dataclass(frozen=True)
class Forecast:
    """For S domains `[S]` or T steps of them `[T, S]`: probabilities, the two voices in decades, and load.

    p_normal + p_abnormal + p_failed = 1 is the next step; `p_failed_within` looks `horizon_steps` ahead. `evidence` is
    the sum of what was `learned` and `surprise`, each as -log10 of how rare so high a signal is in calm times. NaN
    where nothing was ever seen.
    """

    p_normal: Floats
    p_abnormal: Floats
    p_failed: Floats
    p_failed_within: Floats
    load: Floats
    learned: Floats = field(kw_only=True)
    surprise: Floats = field(kw_only=True)

    @property
    def evidence(self) -> Floats:
        """Both voices together: either can raise it."""
        return self.learned + self.surprise

    @property
    def p_abnormal_next(self) -> Floats:
        """P(the next state is not normal): what the paper decides by."""
        return self.p_abnormal + self.p_failed


@dataclass(frozen=True)
class Signals:
    """What the two voices go by, before it is compared with calm times; arrays as in `Forecast`."""

    expected: Floats
    """[..., S, 5]: see Chains.readout"""
    surprisal: Floats
    """[..., S]: -log p(o_t given the past), averaged over time and models"""
    rise: Floats
    """[..., S]: see Trend"""


@dataclass(frozen=True)
class Watch:
    """All that is carried from one tick to the next for S domains."""

    trend: Trend
    belief: Floats | None
    """[R, N, S]; None before the first tick"""
    surprisal: Floats
    """[S], averaged, NaN before anything was seen"""


def begin(n_domains: int, n_metrics: int) -> Watch:
    """Nothing has been seen yet."""
    return Watch(Trend.unknown(n_domains, n_metrics), None, np.full(n_domains, np.nan))


def advance(model: Model, history: History, watch: Watch, values: Floats) -> tuple[Watch, Forecast]:
    """Take all domains one step on by their metrics `values [S, M]`, NaN where missing: one batched step."""
    chains = model.chains
    symbols, trend = observe(chains.recipe, history, values[None], watch.trend)
    belief, log_scale = _update(chains, watch.belief, symbols[0])
    surprisal = _smooth(chains, log_scale.mean(axis=0)[None], symbols, watch.surprisal)[0]
    signals = Signals(_expect(chains, belief), surprisal, last(trend).rise)
    return Watch(last(trend), belief, surprisal), voice(model, signals)


def track(model: Model, history: History, values: Floats) -> Forecast:
    """The forecasts `[T, S]` that `advance` would have made, step by step, over `values [T, S, M]`."""
    symbols, trend = observe(model.chains.recipe, history, values, Trend.unknown(*values.shape[1:]))
    return voice(model, listen(model.chains, symbols, trend))


def observe(recipe: Recipe, history: History, values: Floats, before: Trend) -> tuple[Symbols, Trend]:
    """The symbols `[T, S, D]` that the mode makes of `values [T, S, M]`, and the averages `[T, ...]` on the way."""
    departures = standardise(values, history)
    trend = follow(departures, before, recipe.averaging)
    if recipe.mode == "paper":
        return mean_symbols(values, history.mean), trend
    return sigma_symbols(departures, trend), trend


def listen(chains: Chains, symbols: Symbols, trend: Trend) -> Signals:
    """What the voices go by at every step `[T, S]` of `symbols [T, S, D]`."""
    expected = np.zeros((*symbols.shape[:2], chains.readout.shape[-1]))
    log_scale = np.zeros(symbols.shape[:2])
    for one, weights in zip(chains.hmms, chains.readout, strict=True):
        belief, scale = hmm.filter(one, symbols)
        if chains.recipe.mode == "paper":
            belief = hmm.max_product(one, symbols)
        expected += np.einsum("tns,nk->tsk", belief, weights) / len(chains.hmms)
        log_scale += scale / len(chains.hmms)
    unknown = np.full(symbols.shape[1], np.nan)
    return Signals(expected, _smooth(chains, log_scale, symbols, unknown), trend.rise)


def voice(model: Model, signals: Signals) -> Forecast:
    """Compare the signals with calm times, and make P(failed within h) honest.

    P(failed next) cannot exceed it; what is taken from that is abnormal at least.
    """
    unseen = np.isnan(signals.rise)
    expected = np.moveaxis(np.where(unseen[..., None], np.nan, signals.expected), -1, 0)
    p_normal, p_abnormal, p_failed, p_failed_within, load = expected
    honest = model.calibration.honest(p_failed_within)
    p_failed_at_most = np.minimum(p_failed, honest)
    return Forecast(
        p_normal,
        p_abnormal + (p_failed - p_failed_at_most),
        p_failed_at_most,
        honest,
        load,
        learned=model.calm.learned.decades(learned_signal(model.chains, signals)),
        surprise=model.calm.surprise.decades(signals.rise),
    )


def learned_signal(chains: Chains, signals: Signals) -> Floats:
    """What the first voice goes by: P(failed within h) where failures were learned, else the surprisal.

    In the paper's mode it is P(the next state is not normal).
    """
    if chains.recipe.mode == "paper":
        signal = signals.expected[..., 1] + signals.expected[..., 2]
    else:
        signal = signals.expected[..., 3] if chains.knows_failures else signals.surprisal
    return np.where(np.isnan(signals.rise), np.nan, signal)


def _update(chains: Chains, belief: Floats | None, symbols: Symbols) -> tuple[Floats, Floats]:
    ensemble = chains.ensemble
    if belief is None:
        return ensemble.update(ensemble.prior(len(symbols)), symbols)
    if chains.recipe.mode == "paper":
        return ensemble.advance_best(belief, symbols)
    return ensemble.advance(belief, symbols)


def _expect(chains: Chains, belief: Floats) -> Floats:
    """[S, 5], the mean over the models."""
    return np.asarray(np.einsum("rns,rnk->sk", belief, chains.readout) / len(belief))


def _smooth(chains: Chains, log_scale: Floats, symbols: Symbols, before: Floats) -> Floats:
    """The averaged surprisal `[T, S]` of `symbols [T, S, D]`; a step without any leaves it as it was."""
    unseen = (symbols == MISSING).all(axis=-1)
    return average(np.where(unseen, np.nan, -log_scale), before, chains.recipe.averaging.surprisal)
