"""Training: in, what was measured of domains and which of it was trouble; out, a `Model`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.baum_welch import fit_restarts
from predictor.forecast import learned_signal, listen, observe
from predictor.hmm import Hmm
from predictor.model import FAILED, HEALTH, NORMAL, Calm, Chains, Model, Recipe, align, name_states
from predictor.observations import MISSING
from predictor.rarity import Rarity
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
    seen = [
        observe(recipe, lesson.history, lesson.values, Trend.unknown(*lesson.values.shape[1:])) for lesson in lessons
    ]
    hmms = _fit([symbols for symbols, _ in seen], [lesson.health for lesson in lessons], len(metrics), recipe, rng)
    if before is not None:
        hmms = [align(hmm, before.chains.hmms[0]) for hmm in hmms]
    chains = Chains(recipe, tuple(hmms), knows_failures=any((lesson.health == FAILED).any() for lesson in lessons))
    return Model(chains, tuple(metrics), _learn_calm(chains, seen, lessons))


def _fit(
    symbols: Sequence[Symbols],
    health: Sequence[NDArray[np.intp]],
    n_metrics: int,
    recipe: Recipe,
    rng: np.random.Generator | int,
) -> list[Hmm]:
    paper = recipe.mode == "paper"
    fits = fit_restarts(
        _padded(symbols),
        np.concatenate([np.full(s.shape[1], len(s)) for s in symbols]),
        restarts=1 if paper else recipe.restarts,
        rng=rng,
        levels=mean_levels(n_metrics) if paper else sigma_levels(n_metrics),
        n_states=len(HEALTH),
        labels=_padded([h[..., None] for h in health])[..., 0],
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


def _learn_calm(chains: Chains, seen: Sequence[tuple[Symbols, Trend]], lessons: Sequence[Lesson]) -> Calm:
    """How rare each voice's signal is, and where its alarm begins so that the share of false ones is kept."""
    signals = [listen(chains, symbols, trend) for symbols, trend in seen]
    calm = [lesson.health == NORMAL for lesson in lessons]
    learned = Rarity.learn(np.concatenate([learned_signal(chains, s)[c] for s, c in zip(signals, calm, strict=True)]))
    surprise = Rarity.learn(np.concatenate([s.rise[c] for s, c in zip(signals, calm, strict=True)]))
    evidence = np.concatenate(
        [
            (learned.decades(learned_signal(chains, s)) + surprise.decades(s.rise))[c]
            for s, c in zip(signals, calm, strict=True)
        ]
    )
    share = chains.recipe.false_alarm_share
    low, high = np.nanquantile(evidence, [1 - 2 * share, 1 - share], method="higher")
    return Calm(learned, surprise, float(low), float(high))
