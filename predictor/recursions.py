"""Coded sequences as columns come in; their scaled forward and backward recursions go out, exact across chunks.

Each chunk of a sequence starts from a guess at what its neighbour ends with, made by a warm-up. A hidden Markov model
forgets fast, so the guess is right as a rule; chunks for which it was not are run again until all of them fit together.
Were a model never to forget, that would take as long as going one step after another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np

from predictor.columns import Columns
from predictor.observations import Floats, Ints

_AGREEMENT = 1e-13
"""relative; errors add up over chunks but do not grow (no step expands Hilbert's metric): 1,000 chunks keep 1e-10"""
_WARM_UP_STEPS = 64
_SCALE_EVERY = (8, 4, 2, 1)
"""steps, divisors of the warm-up's"""
_SAFE = 1e-200
"""far from the smallest double, 1e-308"""

Result = TypeVar("Result")


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


@dataclass(frozen=True)
class Forward:
    """What the forward recursion leaves behind."""

    entry: Floats
    """[N, C*S] p(z before the column given what came before); 0 where a column starts a sequence"""
    alpha: Floats
    """[L or 1, N, C*S] p(z_t given y_1:t) of all steps, or of the last one only"""
    scale: Floats
    """[L, C*S] p(y_t given y_1:t-1), over all steps since the last one scaled, 1 where not scaled; 0 where no state can
    have emitted y_t, which then counts as missing"""

    @classmethod
    def empty(cls, n_states: int, shape: tuple[int, ...], *, last_only: bool = False) -> "Forward":
        """Room for the result of `forward` over codes of `shape` [L, C*S]."""
        length, n = shape
        return cls(np.empty((n_states, n)), np.empty((1 if last_only else length, n_states, n)), np.empty(shape))

    def part(self, shape: tuple[int, ...]) -> "Forward":
        """As much of this room as codes of `shape` [L, C*S] need."""
        length, n = shape
        return Forward(self.entry[:, :n], self.alpha[:length, :, :n], self.scale[:length, :n])


def forward(chain: Chain, columns: Columns, out: Forward) -> None:
    """Fill `out` by the scaled forward recursion."""
    s, n_edges = columns.n_sequences, columns.n_edges
    out.entry[:, :s], out.entry[:, s:] = 0, 1 / len(chain.start)
    edges = out.entry[:, s:]
    if n_edges:
        last = slice(-_WARM_UP_STEPS, None)
        _forward_pass(chain, _prior(chain, out.entry, s), columns.codes[last], out.alpha[last], out.scale[last])
        edges[:] = out.alpha[-1, :, :n_edges]
    _forward_pass(chain, _prior(chain, out.entry, s), columns.codes, out.alpha, out.scale)

    def rerun(which: Ints) -> Floats:
        after = which + s
        alpha, scale = out.alpha.take(after, axis=2), out.scale.take(after, axis=1)
        _forward_pass(chain, chain.transition.T @ edges[:, which], columns.codes.take(after, axis=1), alpha, scale)
        out.alpha[..., after], out.scale[..., after] = alpha, scale
        return np.asarray(alpha[-1])

    if n_edges:
        _settle(edges, out.alpha[-1, :, :n_edges], s, rerun)


def _prior(chain: Chain, entry: Floats, n_sequences: int) -> Floats:
    prior = chain.transition.T @ entry
    prior[:, :n_sequences] = chain.start[:, None]
    return np.asarray(prior)


def _forward_pass(chain: Chain, prior: Floats, codes: Ints, alphas: Floats, scales: Floats) -> None:
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


def run_backward(chain: Chain, columns: Columns, scale: Floats, run: Callable[[Floats], Result]) -> Result:
    """Return `run(beta)`, which takes `beta` `[N, C*S]` through `columns` by `backward`, with edges that fit together.

    `run` is called a second time where the first guess at the edges was wrong.
    """
    s, n_edges = columns.n_sequences, columns.n_edges
    if not n_edges:
        return run(np.ones((len(chain.start), s)))
    first = slice(None, _WARM_UP_STEPS)
    edges = _before(chain, columns.codes[first, s:], scale[first, s:], np.ones((len(chain.start), n_edges)))

    def rerun(which: Ints) -> Floats:
        return _before(chain, columns.codes.take(which, axis=1), scale.take(which, axis=1), edges.take(which, axis=1))

    while True:
        beta = np.ones((len(chain.start), n_edges + s))
        beta[:, :n_edges] = edges
        result = run(beta)
        if not _settle(edges, beta[:, s:], -s, rerun):
            return result


def _before(chain: Chain, codes: Ints, scale: Floats, beta: Floats) -> Floats:
    for _ in backward(chain, codes, scale, beta):
        pass
    return beta


def _settle(edges: Floats, found: Floats, stride: int, rerun: Callable[[Ints], Floats]) -> bool:
    """Set `edges` `[N, E]` to what was `found` and follow each change on, in place; tell whether there was any.

    `rerun(which)` goes through the column that the edges `which` lead into and finds the edges `which + stride`.
    """
    which = np.arange(edges.shape[1])
    settled = True
    while True:
        wrong = ~np.isclose(edges[:, which], found, rtol=_AGREEMENT, atol=0).all(axis=0)
        which, found = which[wrong], found[:, wrong]
        if not which.size:
            return not settled
        settled = False
        edges[:, which] = found
        beyond = which + stride
        inside = (beyond >= 0) & (beyond < edges.shape[1])
        found, which = rerun(which)[:, inside], beyond[inside]
