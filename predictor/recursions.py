"""Coded sequences as columns come in; their scaled forward and backward recursions go out, exact across chunks.

Each chunk of a sequence starts from a guess at what its neighbour ends with, made by a warm-up. A hidden Markov model
forgets fast, so the guess is right as a rule; chunks for which it was not are run again until all of them fit together.
Where that takes many rounds (a sticky model, a long gap), transfer matrices tell the chunks' ends at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from predictor.chain import Chain, backward, forward_pass, transfer
from predictor.columns import Columns
from predictor.observations import Floats, Ints

_AGREEMENT = 1e-13
"""relative; errors add up over chunks but do not grow (no step expands Hilbert's metric): 1,000 chunks keep 1e-10"""
_WARM_UP_STEPS = 64
_PATIENCE_ROUNDS = 8

Result = TypeVar("Result")


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
    edges, ends = out.entry[:, s:], out.alpha[-1:, :, :n_edges]
    if n_edges:
        last = slice(-_WARM_UP_STEPS, None)
        forward_pass(chain, _prior(chain, out.entry, s), columns.codes[last], out.alpha[last], out.scale[last])
        edges[:] = ends[0]
    forward_pass(chain, _prior(chain, out.entry, s), columns.codes, out.alpha, out.scale)

    def rerun(which: Ints) -> Floats:
        after = which + s
        alpha, scale = out.alpha.take(after, axis=2), out.scale.take(after, axis=1)
        forward_pass(chain, chain.transition.T @ edges[:, which], columns.codes.take(after, axis=1), alpha, scale)
        out.alpha[..., after], out.scale[..., after] = alpha, scale
        return np.asarray(alpha[-1])

    def leap() -> Floats:
        exact = edges.copy()
        exact[:, :s] = ends[0, :, :s]
        through = transfer(chain, columns.codes[:, s:])
        for e in range(n_edges - s):
            _normalise(exact[:, e] @ through[e], np.ones(len(exact)), out=exact[:, e + s])
        return exact

    if n_edges:
        _settle(edges, ends[0].copy(), s, rerun, leap)


def _prior(chain: Chain, entry: Floats, n_sequences: int) -> Floats:
    prior = chain.transition.T @ entry
    prior[:, :n_sequences] = chain.start[:, None]
    return np.asarray(prior)


def run_backward(chain: Chain, columns: Columns, passed: Forward, run: Callable[[Floats], Result]) -> Result:
    """Return `run(beta)`, which takes `beta` `[N, C*S]` through `columns` by `backward`, with edges that fit together.

    `run` is called a second time where the first guess at the edges was wrong. `forward` left `passed`.
    """
    s, n_edges, scale = columns.n_sequences, columns.n_edges, passed.scale
    if not n_edges:
        return run(np.ones((len(chain.start), s)))
    first = slice(None, _WARM_UP_STEPS)
    edges = _before(chain, columns.codes[first, s:], scale[first, s:], np.ones((len(chain.start), n_edges)))

    def rerun(which: Ints) -> Floats:
        return _before(chain, columns.codes.take(which, axis=1), scale.take(which, axis=1), edges.take(which, axis=1))

    def leap() -> Floats:
        exact = edges.copy()
        exact[:, -s:] = beta[:, -s:]
        through = transfer(chain, columns.codes[:, s:n_edges])
        for e in range(n_edges - 1, s - 1, -1):
            _normalise(through[e - s] @ exact[:, e], passed.entry[:, e], out=exact[:, e - s])
        return exact

    while True:
        beta = np.ones((len(chain.start), n_edges + s))
        beta[:, :n_edges] = edges
        result = run(beta)
        if not _settle(edges, beta[:, s:], -s, rerun, leap):
            return result


def _before(chain: Chain, codes: Ints, scale: Floats, beta: Floats) -> Floats:
    for _ in backward(chain, codes, scale, beta):
        pass
    return beta


def _settle(
    edges: Floats, ends: Floats, stride: int, rerun: Callable[[Ints], Floats], leap: Callable[[], Floats]
) -> bool:
    """Change `edges` `[N, E]`, in place, until they are the `ends` that columns run to; tell whether any was changed.

    `rerun(which)` goes through the columns that the edges `which` lead into and finds the ends `which + stride`. Where
    rounds of it do not settle, `leap()` tells what all edges come to, but for rounding.
    """
    n_rounds = 0
    while (wrong := _apart(edges, ends)).size:
        better = ends
        if n_rounds == _PATIENCE_ROUNDS:
            better = leap()
            wrong = _apart(edges, better)
        edges[:, wrong] = better[:, wrong]
        beyond = wrong + stride
        inside = (beyond >= 0) & (beyond < edges.shape[1])
        ends[:, beyond[inside]] = rerun(wrong)[:, inside]
        n_rounds += 1
    return n_rounds > 0


def _apart(edges: Floats, ends: Floats) -> Ints:
    return np.flatnonzero(~np.isclose(edges, ends, rtol=_AGREEMENT, atol=0).all(axis=0))


def _normalise(vector: Floats, to: Floats, out: Floats) -> None:
    """Scale `vector` so that its product with `to` is 1, into `out`; that stays what it was where this cannot be."""
    total = vector @ to
    if total > 0:
        np.divide(vector, total, out=out)
