"""A hidden Markov model and coded columns come in; one pass of the scaled recursions, forward or backward, goes out.

N states, K distinct observations, n columns of L steps each. Equations: Rabiner 1989, section V.A.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from predictor.observations import Floats, Ints

_SCALE_EVERY = (8, 4, 2, 1)
"""steps; all divide the warm-up's, which so ends where the whole pass is scaled"""
_SAFE = 1e-200
"""far from the smallest double, 1e-308"""


@dataclass(frozen=True)
class Chain:
    """A hidden Markov model as the recursions see it: N states, K distinct observations."""

    start: Floats
    """[N]"""
    transition: Floats
    """[N, N]"""
    table: Floats
    """[N, K] p(code given state)"""
    scale_every: int = 1
    """how many steps there are between scalings: `rarely` saves time where not each step's figures are wanted"""

    @classmethod
    def rarely(cls, start: Floats, transition: Floats, table: Floats) -> "Chain":
        """Scale only as often as is needed to keep clear of underflow."""
        least = prod(float(np.min(rows, where=rows > 0, initial=1)) for rows in (transition, table))
        return cls(start, transition, table, next(n for n in _SCALE_EVERY if n == 1 or least**n > _SAFE))

    def scales(self, t: int, n_steps: int) -> bool:
        """Tell whether step t of a column of `n_steps` is scaled; the last one always is."""
        return (t + 1) % self.scale_every == 0 or t + 1 == n_steps


def forward_pass(chain: Chain, prior: Floats, codes: Ints, alphas: Floats, scales: Floats) -> None:
    """Go on from `prior` = p(z_1 given what came before) `[N, n]`, which is used up, through `codes` `[L, n]`.

    Fills `alphas` `[L or 1, N, n]` and `scales` `[L, n]`, as `Forward` has them.
    """
    weights = np.empty_like(prior)
    scales[:] = 1
    for t, code in enumerate(codes):
        alpha = alphas[t % len(alphas)]
        chain.table.take(code, axis=1, out=weights, mode="clip")
        np.multiply(prior, weights, out=alpha)
        if chain.scales(t, len(codes)):
            _scale(alpha, prior, scales[t])
        np.matmul(chain.transition.T, alpha, out=prior)


def _scale(alpha: Floats, prior: Floats, scale: Floats) -> None:
    np.add.reduce(alpha, axis=0, out=scale)
    divisor = scale
    if not scale.all():
        impossible = scale == 0
        alpha[:, impossible] = prior[:, impossible]
        divisor = np.where(impossible, 1, scale)
    np.divide(alpha, divisor, out=alpha)


def backward(chain: Chain, codes: Ints, scale: Floats, beta: Floats) -> Iterator[tuple[int, Floats]]:
    """Take `beta` `[N, n]` from past the last of `codes` `[L, n]` to before the first, in place.

    Yields t from the last step to the first, while `beta` is p(y_t+1:T given z_t) / p(y_t+1:T given y_1:t), and
    beta p(y_t given z_t) / p(y_t given y_1:t-1) `[N, n]`, to be read before the next. `forward` left `scale` `[L, n]`.
    """
    weighted = np.empty_like(beta)
    for t in range(len(codes) - 1, -1, -1):
        chain.table.take(codes[t], axis=1, out=weighted, mode="clip")
        if chain.scales(t, len(codes)):
            divisor = scale[t]
            if not divisor.all():
                impossible = divisor == 0
                weighted[:, impossible] = 1
                divisor = np.where(impossible, 1, divisor)
            weighted /= divisor
        weighted *= beta
        yield t, weighted
        np.matmul(chain.transition, weighted, out=beta)


def transfer(chain: Chain, codes: Ints) -> Floats:
    """p(y, z at the end given z before) `[n, N, N]`, up to a factor, of each column of `codes` `[L, n]`.

    It is 0 where no state can have emitted one of a column's observations.
    """
    n_states, (length, n) = len(chain.start), codes.shape
    alpha, scale = np.empty((1, n_states, n_states * n)), np.empty((length, n_states * n))
    forward_pass(chain, np.repeat(chain.transition.T, n, axis=1), np.tile(codes, n_states), alpha, scale)
    likely = scale.reshape(length, n_states, n)
    best = likely.max(axis=1, keepdims=True)
    weights = (likely / np.where(best > 0, best, 1)).prod(axis=0)
    return np.asarray((alpha.reshape(n_states, n_states, n) * weights).T)
