"""Training: in, what was measured of domains and which of it was trouble; out, a `Model`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from predictor.baum_welch import fit_restarts
from predictor.calibration import Calibration
from predictor.folds import deal, failed_within
from predictor.forecast import learned_signal, listen, observe
from predictor.hmm import Hmm
from predictor.model import FAILED, HEALTH, NORMAL, Calm, Chains, Model, Recipe, align, name_states
from predictor.observations import MISSING
from predictor.rarity import Rarity, exceeded_by
from predictor.symbols import History, Trend, mean_levels, mean_loads, sigma_levels, sigma_loads

Floats = NDArray[np.float64]
Symbols = NDArray[np.intp]


@dataclass(frozen=True)
class Lesson:
    """What was measured of S domains in T steps: `values [T, S, M]`, and the `health [T, S]` of each (-1 unknown)."""

    values: Floats
    history: History
    health: NDArray[np.intp]


def learn(
    lessons: Sequence[Lesson],
    metrics: Sequence[str],
    recipe: Recipe,
    rng: np.random.Generator | int,
    before: Model | None = None,
) -> Model:
    """Fit the chains of `recipe`, name their states (as `before` did, where given), and note what calm looks like.

    Raises ValueError where nothing was measured, or nothing calm.
    """
    rng = np.random.default_rng(rng)
    studied = _study(lessons, recipe)
    chains = _fit_chains(studied, len(metrics), recipe, rng)
    if before is not None:
        chains = replace(chains, hmms=tuple(align(hmm, before.chains.hmms[0]) for hmm in chains.hmms))
    return Model(chains, tuple(metrics), _learn_calm(chains, studied), _calibrate(studied, len(metrics), recipe, rng))


def learn_chains(lessons: Sequence[Lesson], recipe: Recipe, rng: np.random.Generator | int) -> Chains:
    """The chains alone that `learn` would fit, for who does not ask what calm looks like; raises ValueError."""
    studied = _study(lessons, recipe)
    return _fit_chains(studied, lessons[0].values.shape[-1], recipe, np.random.default_rng(rng))


@dataclass(frozen=True)
class _Studied:
    """What a mode sees in a lesson or a piece of it: `symbols [T, S, D]`, averages `[T, ...]` and `health [T, S]`."""

    symbols: Symbols
    trend: Trend
    health: NDArray[np.intp]

    def piece(self, steps: slice) -> "_Studied":
        """Only these steps."""
        trend = Trend(self.trend.fast[steps], self.trend.slow[steps], self.trend.rise[steps])
        return _Studied(self.symbols[steps], trend, self.health[steps])


def _study(lessons: Sequence[Lesson], recipe: Recipe) -> list[_Studied]:
    if not lessons:
        raise ValueError("there is nothing to learn from: no lessons")
    studied = []
    for lesson in lessons:
        symbols, trend = observe(recipe, lesson.history, lesson.values, Trend.unknown(*lesson.values.shape[1:]))
        studied.append(_Studied(symbols, trend, lesson.health))
    return studied


def _fit_chains(studied: Sequence[_Studied], n_metrics: int, recipe: Recipe, rng: np.random.Generator) -> Chains:
    hmms = _fit(studied, n_metrics, recipe, recipe.restarts, rng)
    return Chains(recipe, tuple(hmms), knows_failures=any((one.health == FAILED).any() for one in studied))


def _fit(
    studied: Sequence[_Studied], n_metrics: int, recipe: Recipe, restarts: int, rng: np.random.Generator
) -> list[Hmm]:
    paper = recipe.mode == "paper"
    fits = fit_restarts(
        _padded([one.symbols for one in studied]),
        np.concatenate([np.full(one.symbols.shape[1], len(one.symbols)) for one in studied]),
        restarts=1 if paper else restarts,
        rng=rng,
        levels=mean_levels(n_metrics) if paper else sigma_levels(n_metrics),
        n_states=len(HEALTH),
        labels=_padded([one.health[..., None] for one in studied])[..., 0],
        label_of_state=HEALTH,
        pseudo_count=recipe.pseudo_count,
        emission_floor=recipe.emission_floor,
        tolerance=recipe.tolerance,
        max_iterations=recipe.max_iterations,
    )
    loads = mean_loads(n_metrics) if paper else sigma_loads(n_metrics)
    return [name_states(fit.model, loads) for fit in fits]


def _padded(arrays: Sequence[Symbols]) -> Symbols:
    """Side by side `[T, S, D]`, the shorter ones filled up with MISSING."""
    steps = max(len(array) for array in arrays)
    widths = [((0, steps - len(array)), (0, 0), (0, 0)) for array in arrays]
    filled = [np.pad(array, width, constant_values=MISSING) for array, width in zip(arrays, widths, strict=True)]
    return np.concatenate(filled, axis=1)


def _learn_calm(chains: Chains, studied: Sequence[_Studied]) -> Calm:
    """How rare each voice's signal is, and where its alarm begins so that the share of false ones is kept."""
    learned_signals, rises = [], []
    for one in studied:
        signals = listen(chains, one.symbols, one.trend)
        calm = one.health == NORMAL
        learned_signals.append(learned_signal(chains, signals)[calm])
        rises.append(signals.rise[calm])
    learned_calm, rise_calm = np.concatenate(learned_signals), np.concatenate(rises)
    learned, surprise = Rarity.learn(learned_calm), Rarity.learn(rise_calm)
    evidence = learned.decades(learned_calm) + surprise.decades(rise_calm)
    share = chains.recipe.false_alarm_share
    return Calm(learned, surprise, exceeded_by(evidence, 2 * share), exceeded_by(evidence, share))


def _calibrate(studied: Sequence[_Studied], n_metrics: int, recipe: Recipe, rng: np.random.Generator) -> Calibration:
    """Compare what models of one start forecast of failures that they did not learn with what came true.

    On what it has learned, a model is far too sure. Where no failure can be spared, P(failed within h) stays as it
    is: too high rather than too low. The paper's mode stays as it was published.
    """
    folds = deal([one.health for one in studied]) if recipe.mode == "default" else []
    forecasts, came_true = [], []
    for held_out in folds:
        others = [studied[p.lesson].piece(p.steps) for fold in folds if fold is not held_out for p in fold]
        chains = Chains(recipe, tuple(_fit(others, n_metrics, recipe, 1, rng)), knows_failures=True)
        for one in held_out:
            piece = studied[one.lesson].piece(one.steps)
            forecast = learned_signal(chains, listen(chains, piece.symbols, piece.trend))
            counted = ~np.isnan(forecast) & (piece.health >= NORMAL)
            forecasts.append(forecast[counted])
            failed = failed_within(studied[one.lesson].health, recipe.horizon_steps)
            came_true.append(failed[one.steps][counted])
    return Calibration.learn(np.concatenate(forecasts), np.concatenate(came_true)) if folds else Calibration()
