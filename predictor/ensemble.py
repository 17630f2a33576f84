"""Models of one shape and a fleet's symbols of one instant come in; every model's belief on every domain goes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictor.hmm import Hmm, best_step, predict, update
from predictor.observations import Floats, Symbols, encode, likelihood_table


@dataclass(frozen=True)
class Ensemble:
    """R models that watch the same S domains; beliefs are `[R, N, S]`, symbols of one instant `[S, D]`."""

    start: Floats
    """[R, N]"""
    transition: Floats
    """[R, N, N]"""
    emissions: tuple[Floats, ...]
    """D tables [R, N, M_d]"""

    @classmethod
    def of(cls, models: Sequence[Hmm]) -> "Ensemble":
        """Stack `models`; raises ValueError where there are none or their states or levels differ."""
        if len({(model.n_states, model.levels) for model in models}) != 1:
            raise ValueError("an ensemble needs at least one model, and all with the same numbers of states and levels")
        return cls(
            np.stack([model.start for model in models]),
            np.stack([model.transition for model in models]),
            tuple(np.stack(tables) for tables in zip(*(model.emissions for model in models), strict=True)),
        )

    @property
    def levels(self) -> tuple[int, ...]:
        """How many levels M_d each digit has."""
        return tuple(emission.shape[-1] for emission in self.emissions)

    def prior(self, n_domains: int) -> Floats:
        """Belief `[R, N, S]` about domains of which nothing has been seen: `update` it with their first symbols."""
        return np.repeat(self.start[:, :, None], n_domains, axis=2)

    def update(self, prior: Floats, symbols: Symbols) -> tuple[Floats, Floats]:
        """Condition `prior` on `symbols`: p(z_t given y_1:t) and log p(y_t given y_1:t-1) `[R, S]`, as `hmm.update`."""
        observed = encode(symbols, self.levels)
        return update(prior, likelihood_table(self.emissions, observed.digits)[..., observed.codes])

    def advance(self, belief: Floats, symbols: Symbols) -> tuple[Floats, Floats]:
        """Take `belief` one step on and `update` it: one step of `hmm.filter` for all domains."""
        return self.update(predict(belief, self.transition, 1), symbols)

    def advance_best(self, belief: Floats, symbols: Symbols) -> tuple[Floats, Floats]:
        """Take `belief` one step on by Algorithm 1: one step of `hmm.max_product` for all domains.

        The second result is of the best paths alone, so it is not log p(y).
        """
        return self.update(best_step(belief, self.transition), symbols)
