"""The oracle of the HMM's tests: every path through a short sequence and its joint probability, written down."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from predictor.baum_welch import random_model
from predictor.hmm import Hmm
from predictor.observations import Floats, Ints, Symbols


@dataclass(frozen=True)
class Paths:
    """All N^T paths `states [N^T, T]` and p(path, y) `[N^T]`."""

    n_states: int
    states: Ints
    p: Floats

    @classmethod
    def through(cls, model: Hmm, symbols: Symbols) -> "Paths":
        """Write down the paths through one sequence `symbols [T, D]`."""
        states = np.array(list(product(range(model.n_states), repeat=len(symbols))))
        p = model.start[states[:, 0]] * model.transition[states[:, :-1], states[:, 1:]].prod(axis=1)
        for t, digits in enumerate(symbols):
            for emission, digit in zip(model.emissions, digits, strict=True):
                if digit >= 0:
                    p = p * emission[states[:, t], digit]
        return cls(model.n_states, states, p)

    def state_at(self, t: int) -> Floats:
        """p(z_t given y)."""
        return np.asarray(np.bincount(self.states[:, t], self.p, self.n_states) / self.p.sum())

    def best_at(self, t: int) -> Floats:
        """The most probable path into each state at t, normalised to sum 1."""
        best = np.array([self.p[self.states[:, t] == state].max() for state in range(self.n_states)])
        return np.asarray(best / best.sum())

    def pairs(self) -> Floats:
        """Expected number of each transition given y."""
        steps = self.n_states * self.states[:, :-1] + self.states[:, 1:]
        weights = np.broadcast_to(self.p[:, None], steps.shape)
        counts = np.bincount(steps.ravel(), weights.ravel(), self.n_states**2)
        return np.asarray(counts.reshape(self.n_states, -1) / self.p.sum())


def draw(
    seed: int, *, n_states: int = 3, levels: tuple[int, ...] = (3, 2), n_steps: int = 5, n_sequences: int = 2
) -> tuple[Hmm, Symbols]:
    """A random model and random symbols `[T, S, D]`, about a quarter of the digits missing."""
    rng = np.random.default_rng(seed)
    model = random_model(n_states, levels, rng)
    symbols = np.stack([rng.integers(0, m, (n_steps, n_sequences)) for m in levels], axis=-1)
    symbols[rng.random(symbols.shape) < 0.25] = -1
    return model, symbols
