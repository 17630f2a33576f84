"""What was learned: in, histories, labelled symbols and a recipe; out, a `Model` whose states have names.

States are 3 levels of health x 3 of load, in this order: normal low, normal medium, ..., failed high.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from predictor.calibration import Calibration
from predictor.ensemble import Ensemble
from predictor.hmm import Hmm, absorb
from predictor.rarity import Rarity
from predictor.symbols import Averaging

Floats = NDArray[np.float64]
Mode = Literal["default", "paper"]

NORMAL: Final = 0
ABNORMAL: Final = 1
FAILED: Final = 2
N_LOADS: Final = 3
HEALTH: Final = np.repeat((NORMAL, ABNORMAL, FAILED), N_LOADS)
"""The health of each state `[9]`."""
LOAD: Final = np.tile(np.arange(N_LOADS), 3)
"""The load level of each state `[9]`: 0 low, 1 medium, 2 high."""


@dataclass(frozen=True)
class Recipe:
    """How a model is made and read; the defaults' reasons are in docs/defaults.md."""

    mode: Mode = "default"
    restarts: int = 5
    horizon_steps: int = 5
    pseudo_count: float = 0.5
    emission_floor: float = 1e-6
    tolerance: float = 0.01
    max_iterations: int = 100
    false_alarm_share: float = 0.05
    averaging: Averaging = field(default_factory=Averaging)


@dataclass(frozen=True)
class Calm:
    """What calm looked like in training: where an alarm begins, and how rare each voice's signal is."""

    learned: Rarity
    surprise: Rarity
    evidence_low: float
    evidence_high: float


@dataclass(frozen=True)
class Chains:
    """R hidden Markov models of nine named states over the symbols that `recipe` makes of metrics.

    `knows_failures` is whether failed states were ever labelled: if not, P(failed) was not learned, and the first voice
    is how unlikely the observations are under the normal life that was.
    """

    recipe: Recipe
    hmms: tuple[Hmm, ...]
    knows_failures: bool

    @cached_property
    def ensemble(self) -> Ensemble:
        """The models stacked, to advance a fleet."""
        return Ensemble.of(self.hmms)

    @cached_property
    def readout(self) -> Floats:
        """Weights `[R, N, 5]` of belief for p_normal, p_abnormal, p_failed (next step), p_failed_within, load."""
        return readout(self.ensemble.transition, self.recipe.horizon_steps)


@dataclass(frozen=True)
class Model:
    """What a training run leaves behind: the chains over some `metrics`, and what calm looked like to them.

    `calibration` makes their P(failed within h) honest.
    """

    chains: Chains
    metrics: tuple[str, ...]
    calm: Calm
    calibration: Calibration


def readout(transition: Floats, horizon_steps: int) -> Floats:
    """What follows from each state under `transition [R, N, N]`: see `Chains.readout`.

    P(failed within h) = sum over the failed states of the absorbing chain's h-step transition.
    """
    of_health = np.eye(3)[HEALTH]
    within = np.linalg.matrix_power(absorb(transition, np.flatnonzero(HEALTH == FAILED)), horizon_steps)
    failed_within = within[..., HEALTH == FAILED].sum(axis=-1)
    return np.concatenate([transition @ of_health, failed_within[..., None], (transition @ LOAD)[..., None]], axis=-1)


def name_states(hmm: Hmm, levels_of_symbol: Sequence[Floats]) -> Hmm:
    """Put the states of each health in the order of their mean load.

    EM is blind to relabelling; labels settle a state's health, this settles its load. `levels_of_symbol` holds for each
    digit `[M_d]` the load that each of its symbols stands for.
    """
    loads = [table @ worth for table, worth in zip(hmm.emissions, levels_of_symbol, strict=True)]
    load = np.sum(loads, axis=0)
    return permuted(hmm, np.lexsort((load, HEALTH)))


def align(hmm: Hmm, reference: Hmm) -> Hmm:
    """Name the states of a refit as the `reference` named them: the assignment with the least change of emissions.

    Only states of one health are ever exchanged.
    """
    moved = sum(
        np.abs(new[:, None, :] - old[None, :, :]).sum(axis=2)
        for new, old in zip(hmm.emissions, reference.emissions, strict=True)
    )
    other_health = HEALTH[:, None] != HEALTH[None, :]
    rows, columns = linear_sum_assignment(moved + other_health * 1e6)
    return permuted(hmm, rows[np.argsort(columns)])


def permuted(hmm: Hmm, order: NDArray[np.intp]) -> Hmm:
    """The same model with its states in another order `[N]`."""
    return Hmm(hmm.start[order], hmm.transition[np.ix_(order, order)], tuple(table[order] for table in hmm.emissions))
