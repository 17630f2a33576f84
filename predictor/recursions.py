"""Coded sequences as columns come in; their scaled forward and backward recursions go out, exact across chunks.

Long sequences are cut into chunks that advance side by side as columns, so that a step of numpy always has many to do.
Each chunk starts from a guess at what its neighbour ends with, made by a warm-up. A hidden Markov model forgets fast,
so the guess is right as a rule; chunks for which it was not are run again until all of them fit together. Were a model
never to forget, that would take as long as going one step after another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np

from predictor.observations import Floats, Ints

_AGREEMENT = 1e-13
"""relative; errors add up over chunks but do not grow (no step expands Hilbert's metric): 1,000 chunks keep 1e-10"""
_COLUMNS = 1024
"""as many that numpy's cost per call is small beside its work, as few that a step stays in the second-level cache"""
_CHUNK_STEPS = 128
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
class Columns:
    """S sequences, each in C chunks, side by side: first every sequence's first chunk, then the second ones ..."""

    codes: Ints
    """[L, C*S] codes of observations; steps past a sequence's end are missing ones"""
    n_sequences: int
    """S"""
    n_steps: int
    """T"""

    @property
    def n_edges(self) -> int:
        """How many edges there are: edge e lies between column e and the one that goes on from it, e + S."""
        return int(self.codes.shape[1]) - self.n_sequences

    def unfold(self, result: Floats) -> Floats:
        """Put the chunks of a result `[L, ..., C*S]` one after another again: `[T, ..., S]`."""
        if not self.n_edges:
            return result
        apart = self._apart(result)
        return np.moveaxis(apart, -2, 0).reshape(-1, *apart.shape[1:-2], self.n_sequences)[: self.n_steps]

    def total(self, result: Floats) -> Floats:
        """Sum a result `[L, C*S]` by sequence `[S]`."""
        return np.asarray(self._apart(result).sum(axis=(0, 1)))

    def _apart(self, result: Floats) -> Floats:
        n_chunks = 1 + self.n_edges // max(self.n_sequences, 1)
        return result.reshape(*result.shape[:-1], n_chunks, self.n_sequences)


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
    def empty(cls, n_states: int, columns: Columns, *, last_only: bool = False) -> "Forward":
        """Room for the result of `forward`."""
        length, n = columns.codes.shape
        return cls(np.empty((n_states, n)), np.empty((1 if last_only else length, n_states, n)), np.empty((length, n)))


def fold(codes: Ints, missing: int) -> Columns:
    """Cut `codes` `[T, S]` into as many chunks as is fast, the last one filled up with `missing`."""
    n_steps, n_sequences = codes.shape
    most = min(_COLUMNS // max(n_sequences, 1), n_steps // _CHUNK_STEPS)
    if most < 2:
        return Columns(codes, n_sequences, n_steps)
    length = -(-n_steps // most)
    n_chunks = -(-n_steps // length)
    padded = np.full((n_chunks * length, n_sequences), missing)
    padded[:n_steps] = codes
    side_by_side = np.ascontiguousarray(padded.reshape(n_chunks, length, n_sequences).swapaxes(0, 1))
    return Columns(side_by_side.reshape(length, n_chunks * n_sequences), n_sequences, n_steps)


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
        alpha, scale = out.alpha[..., after], out.scale[..., after]
        _forward_pass(chain, chain.transition.T @ edges[:, which], columns.codes[:, after], alpha, scale)
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
    first = slice(None, _WARM_UP_STEPS)
    edges = _before(chain, columns.codes[first, s:], scale[first, s:], np.ones((len(chain.start), n_edges)))

    def rerun(which: Ints) -> Floats:
        return _before(chain, columns.codes[:, which], scale[:, which], edges[:, which])

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
