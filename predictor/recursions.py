"""Coded sequences as columns come in; their scaled forward and backward recursions go out, exact across chunks.

Long sequences are cut into chunks that advance side by side as columns, so that a step of numpy always has many to do.
A chunk's first belief is its predecessor's last one: passes are repeated until each chunk starts where the one before
it ended. A hidden Markov model forgets its past fast, so two passes are the rule; were it never to forget, there would
be as many as chunks, which is what one step after another would have cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from predictor.observations import MISSING, Floats, Ints, Symbols

_AGREEMENT = 1e-13
"""relative; errors add up over chunks but do not grow (no step expands Hilbert's metric): 1,000 chunks keep 1e-10"""
_CHUNK_STEPS = 256
_COLUMNS = 1024


@dataclass(frozen=True)
class Forward:
    """What the forward recursion leaves: N states, L steps, S * C columns (chunk after chunk)."""

    entry: Floats
    """[N, S*C] p(z before the column, given what came before); 0 where a column starts a sequence"""
    alpha: Floats
    """[L, N, S*C] p(z_t given y_1:t)"""
    weights: Floats
    """[L, N, S*C] p(y_t given z_t) / p(y_t given y_1:t-1)"""
    scale: Floats
    """[L, S*C] p(y_t given y_1:t-1); 0 where no state can have emitted y_t, which then counts as missing"""


def chunk_count(n_steps: int, n_sequences: int) -> int:
    """Into how many chunks to cut each of `n_sequences` of `n_steps`."""
    return max(1, min(_COLUMNS // max(n_sequences, 1), n_steps // _CHUNK_STEPS))


def fold(symbols: Symbols, n_chunks: int) -> Symbols:
    """Lay the chunks of `symbols` `[T, S, D]` side by side: `[L, C*S, D]`, padded with missing ones."""
    n_steps, n_sequences, n_digits = symbols.shape
    length = -(-n_steps // n_chunks)
    padded = np.full((n_chunks * length, n_sequences, n_digits), MISSING, dtype=np.intp)
    padded[:n_steps] = symbols
    return padded.reshape(n_chunks, length, n_sequences, n_digits).swapaxes(0, 1).reshape(length, -1, n_digits)


def unfold(columns: Floats, n_chunks: int, n_steps: int) -> Floats:
    """Undo `fold` on a result: `[L, ..., C*S]` to `[T, ..., S]`."""
    apart = columns.reshape(*columns.shape[:-1], n_chunks, columns.shape[-1] // n_chunks)
    return np.moveaxis(apart, -2, 0).reshape(-1, *apart.shape[1:-2], apart.shape[-1])[:n_steps]


def forward(start: Floats, transition: Floats, table: Floats, codes: Ints, n_sequences: int) -> Forward:
    """Run the scaled forward recursion over `codes` `[L, C*S]` with `table[:, code]` = p(code given state)."""
    length, n_columns = codes.shape
    n_states = len(start)
    entry = np.zeros((n_states, n_columns))
    entry[:, n_sequences:] = 1 / n_states
    alpha, weights = np.empty((length, n_states, n_columns)), np.empty((length, n_states, n_columns))
    result = Forward(entry, alpha, weights, scale=np.empty((length, n_columns)))
    while length:
        prior = transition.T @ entry
        prior[:, :n_sequences] = start[:, None]
        _forward_pass(prior, transition, table, codes, result)
        found = result.alpha[-1, :, : n_columns - n_sequences]
        if np.allclose(entry[:, n_sequences:], found, rtol=_AGREEMENT, atol=0):
            break
        entry[:, n_sequences:] = found
    return result


def _forward_pass(prior: Floats, transition: Floats, table: Floats, codes: Ints, out: Forward) -> None:
    backwards = np.ascontiguousarray(transition.T)
    for t, code in enumerate(codes):
        alpha, weights, scale = out.alpha[t], out.weights[t], out.scale[t]
        table.take(code, axis=1, out=weights, mode="clip")
        np.multiply(prior, weights, out=alpha)
        alpha.sum(axis=0, out=scale)
        divisor = scale
        if not scale.all():
            impossible = scale == 0
            weights[:, impossible] = 1
            alpha[:, impossible] = prior[:, impossible]
            divisor = np.where(impossible, 1, scale)
        weights /= divisor
        alpha /= divisor
        np.matmul(backwards, alpha, out=prior)


def backward(transition: Floats, weights: Floats, n_sequences: int) -> Iterator[tuple[int, Floats, Floats]]:
    """Yield from the last step to the first: t, beta_t, weights_t * beta_t, both `[N, C*S]` and valid until the next.

    beta_t is p(y_t+1:T given z_t) / p(y_t+1:T given y_1:t), so that alpha_t * beta_t is p(z_t given y_1:T).
    """
    n_columns = weights.shape[-1]
    leave = np.ones(weights.shape[1:])
    while n_columns > n_sequences:
        for _, _, w in _backward_pass(leave, transition, weights):
            first = w
        found = (transition @ first)[:, n_sequences:]
        if np.allclose(leave[:, : n_columns - n_sequences], found, rtol=_AGREEMENT, atol=0):
            break
        leave[:, : n_columns - n_sequences] = found
    yield from _backward_pass(leave, transition, weights)


def _backward_pass(leave: Floats, transition: Floats, weights: Floats) -> Iterator[tuple[int, Floats, Floats]]:
    beta = leave.copy()
    weighted = np.empty_like(beta)
    for t in range(len(weights) - 1, -1, -1):
        np.multiply(weights[t], beta, out=weighted)
        yield t, beta, weighted
        np.matmul(transition, weighted, out=beta)
