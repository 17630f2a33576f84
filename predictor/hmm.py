"""A hidden Markov model and symbols come in; beliefs over its states, smoothed or h steps ahead, go out.

T steps, S sequences, N states; an observation has D digits, digit d one of M_d levels. Equations: Rabiner 1989.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.chain import Chain, backward
from predictor.columns import Columns, fold
from predictor.observations import Floats, Symbols, encode, likelihood_table
from predictor.recursions import Forward, forward, run_backward


@dataclass(frozen=True)
class Hmm:
    """A hidden Markov model whose observation's digits are independent of each other given the state.

    Raises ValueError where shapes do not fit together or a row is not a distribution.
    """

    start: Floats
    """[N]"""
    transition: Floats
    """[N, N], from row to column"""
    emissions: tuple[Floats, ...]
    """D tables [N, M_d]; a joint symbol is the case D = 1"""

    def __post_init__(self) -> None:
        n = self.n_states
        _check_rows("start", self.start, (n,))
        _check_rows("transition", self.transition, (n, n))
        if not self.emissions:
            raise ValueError("emissions must hold at least one table")
        for d, emission in enumerate(self.emissions):
            _check_rows(f"emissions[{d}]", emission, (n, emission.shape[-1]))

    @property
    def n_states(self) -> int:
        """N."""
        return len(self.start)

    @property
    def levels(self) -> tuple[int, ...]:
        """How many levels M_d each digit has."""
        return tuple(emission.shape[1] for emission in self.emissions)


def likelihoods(model: Hmm, symbols: Symbols) -> Floats:
    """p(y_t given z_t) `[T, N, S]` of `symbols` `[T, S, D]`; a missing digit's factor is 1."""
    observed = encode(symbols, model.levels)
    return np.moveaxis(likelihood_table(model.emissions, observed.digits)[:, observed.codes], 0, 1)


def filter(model: Hmm, symbols: Symbols) -> tuple[Floats, Floats]:  # noqa: A001 - the field's own word for it
    """p(z_t given y_1:t) `[T, N, S]` and log p(y_t given y_1:t-1) `[T, S]`, whose sum is the log-likelihood.

    An observation that no state can have emitted has log p = -inf and is passed over: belief is the prediction alone.
    """
    _, columns, passed = _forward(model, symbols)
    with np.errstate(divide="ignore"):
        return columns.unfold(passed.alpha), columns.unfold(np.log(passed.scale))


def log_likelihood(model: Hmm, symbols: Symbols) -> Floats:
    """Log p(y_1:T) `[S]` of each sequence, without beliefs kept; -inf where it is impossible."""
    observed = encode(symbols, model.levels)
    table = likelihood_table(model.emissions, observed.digits)
    columns = fold(observed.codes, observed.missing)
    passed = Forward.empty(model.n_states, columns.codes.shape, last_only=True)
    forward(Chain.rarely(model.start, model.transition, table), columns, passed)
    with np.errstate(divide="ignore"):
        return columns.total(np.log(passed.scale))


def smooth(model: Hmm, symbols: Symbols) -> Floats:
    """p(z_t given y_1:T) `[T, N, S]`; observations that no state can have emitted are passed over."""
    chain, columns, passed = _forward(model, symbols)

    def run(beta: Floats) -> Floats:
        gamma = np.empty_like(passed.alpha)
        for t, _ in backward(chain, columns.codes, passed.scale, beta):
            np.multiply(passed.alpha[t], beta, out=gamma[t])
        return gamma

    return columns.unfold(run_backward(chain, columns, passed, run))


def _forward(model: Hmm, symbols: Symbols) -> tuple[Chain, Columns, Forward]:
    observed = encode(symbols, model.levels)
    chain = Chain(model.start, model.transition, likelihood_table(model.emissions, observed.digits))
    columns = fold(observed.codes, observed.missing)
    passed = Forward.empty(model.n_states, columns.codes.shape)
    forward(chain, columns, passed)
    return chain, columns, passed


def max_product(model: Hmm, symbols: Symbols) -> Floats:
    """F of the paper's Algorithm 1 `[T, N, S]`, the best path into each state, normalised to sum 1 at every step.

    F_t[j] is max over i of F_t-1[i] A[i, j], times p(y_t given j). An observation that no state can have emitted is
    passed over, as in `filter`.
    """
    emitted = likelihoods(model, symbols)
    best = np.empty_like(emitted)
    prior = np.broadcast_to(model.start[:, None], emitted.shape[1:])
    for t, weights in enumerate(emitted):
        best[t], _ = update(prior, weights)
        prior = best_step(best[t], model.transition)
    return best


def update(prior: Floats, emitted: Floats) -> tuple[Floats, Floats]:
    """Condition `prior` `[..., N, S]` on observations of likelihoods `emitted`: belief, and log p(y) `[..., S]`.

    Where no state can have emitted y, belief is the prior, scaled to sum 1, and log p(y) is -inf.
    """
    belief = prior * emitted
    scale = belief.sum(axis=-2, keepdims=True)
    belief = np.where(scale > 0, belief, prior)
    with np.errstate(divide="ignore"):
        return belief / belief.sum(axis=-2, keepdims=True), np.log(scale[..., 0, :])


def predict(belief: Floats, transition: Floats, steps: int) -> Floats:
    """p(z_t+steps) `[..., N, S]` from `belief` = p(z_t) of that shape and `transition` `[..., N, N]`."""
    ahead = np.linalg.matrix_power(transition, steps)
    return np.asarray(np.swapaxes(ahead, -1, -2) @ belief)


def best_step(belief: Floats, transition: Floats) -> Floats:
    """Max over i of belief[i] A[i, j], `[..., N, S]`: a step of Algorithm 1 before it has seen the observation."""
    best = np.zeros(np.broadcast_shapes(belief.shape, (*transition.shape[:-1], 1)))
    for i in range(transition.shape[-1]):
        np.maximum(best, transition[..., i, :, None] * belief[..., i, None, :], out=best)
    return best


def absorb(transition: Floats, states: Sequence[int] | NDArray[np.integer]) -> Floats:
    """Copy `transition` `[..., N, N]` so that nothing leaves `states` again, to ask: reached within h steps?"""
    absorbing = transition.copy()
    absorbing[..., states, :] = np.eye(transition.shape[-1])[states]
    return absorbing


def _check_rows(name: str, rows: Floats, shape: tuple[int, ...]) -> None:
    if rows.shape != shape or not rows.size:
        raise ValueError(f"{name} has shape {rows.shape}, must be {shape}")
    if not np.isfinite(rows).all() or (rows < 0).any() or not np.allclose(rows.sum(axis=-1), 1, rtol=0, atol=1e-8):
        raise ValueError(f"{name} must hold distributions: finite, not negative, every row summing to 1")
