"""Symbol sequences, some perhaps labelled, come in; hidden Markov models fitted by Baum-Welch go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from predictor.hmm import Hmm
from predictor.observations import MISSING, Floats, Ints, Observations, Symbols, encode, likelihood_table
from predictor.recursions import backward, chunk_count, fold, forward


@dataclass(frozen=True)
class Fit:
    """A fitted model and how it came about."""

    model: Hmm
    log_likelihoods: tuple[float, ...]
    """of the data under the model that each iteration began with"""
    iterations: int
    converged: bool


class Options(TypedDict, total=False):
    """The keywords of `fit` that restarts share."""

    levels: Required[Sequence[int]]
    n_states: Required[int]
    labels: NDArray[np.integer] | None
    label_of_state: Sequence[int] | NDArray[np.integer] | None
    pseudo_count: float
    emission_floor: float
    tolerance: float
    max_iterations: int


@dataclass(frozen=True)
class _Data:
    """Sequences ready for the recursions."""

    observed: Observations
    n_sequences: int
    counted: NDArray[np.bool_]
    """[L, C*S] which steps are transitions inside a sequence"""


@dataclass(frozen=True)
class _Counts:
    """Expected counts under the model of an iteration."""

    start: Floats
    transition: Floats
    codes: Floats
    """[N, K]"""
    log_likelihood: float


def fit(
    symbols: Symbols,
    lengths: NDArray[np.integer] | None = None,
    *,
    levels: Sequence[int],
    n_states: int,
    rng: np.random.Generator | int,
    labels: NDArray[np.integer] | None = None,
    label_of_state: Sequence[int] | NDArray[np.integer] | None = None,
    initial: Hmm | None = None,
    pseudo_count: float = 1e-3,
    emission_floor: float = 1e-6,
    tolerance: float = 0.01,
    max_iterations: int = 100,
) -> Fit:
    """Fit by Baum-Welch to `symbols` `[T, S, D]` until no probability moves by more than `tolerance`, as in the paper.

    Sequences shorter than T are padded at the end with missing digits and have their `lengths` `[S]` given. At a step
    of known label (`labels` `[T, S]`, -1 where unknown) only the states of that label (`label_of_state` `[N]`) are
    possible. The fit starts from `initial`, or else from random distributions. `pseudo_count` is added to every
    expected count of starts, transitions and emissions; no emission is less than `emission_floor`.

    Raises ValueError where shapes do not fit, or a sequence is impossible under the model.
    """
    model = random_model(n_states, levels, np.random.default_rng(rng)) if initial is None else initial
    if model.n_states != n_states or model.levels != tuple(levels):
        raise ValueError(f"initial has {model.n_states} states and levels {model.levels}, not {n_states} and {levels}")
    anchor: tuple[Floats, ...] = ()
    if labels is not None:
        if label_of_state is None or len(label_of_state) != n_states:
            raise ValueError(f"labels need label_of_state: the label of each of the {n_states} states")
        # a state emits its label with certainty: to the recursions a label is one more digit, which is not learned
        anchor = (_one_hot(np.asarray(label_of_state)),)
        symbols = np.concatenate([symbols, labels[..., None]], axis=-1)
    data = _prepare(symbols, lengths, (*levels, *(table.shape[1] for table in anchor)))
    history: list[float] = []
    for iteration in range(1, max_iterations + 1):
        counts = _expect(data, model, anchor)
        history.append(counts.log_likelihood)
        before, model = model, _maximise(counts, data.observed.digits, model, pseudo_count, emission_floor)
        if _largest_move(before, model) <= tolerance:
            return Fit(model, tuple(history), iteration, converged=True)
    return Fit(model, tuple(history), max_iterations, converged=False)


def fit_restarts(
    symbols: Symbols,
    lengths: NDArray[np.integer] | None = None,
    *,
    restarts: int,
    rng: np.random.Generator | int,
    **how: Unpack[Options],
) -> list[Fit]:
    """`fit` from `restarts` independent random starts; `how` are the keywords of `fit`."""
    return [fit(symbols, lengths, rng=child, **how) for child in np.random.default_rng(rng).spawn(restarts)]


def random_model(n_states: int, levels: Sequence[int], rng: np.random.Generator) -> Hmm:
    """Draw every row evenly from all distributions (Dirichlet with parameters 1)."""
    return Hmm(
        rng.dirichlet(np.ones(n_states)),
        rng.dirichlet(np.ones(n_states), n_states),
        tuple(rng.dirichlet(np.ones(m), n_states) for m in levels),
    )


def _one_hot(labels: NDArray[np.integer]) -> Floats:
    return np.asarray(np.eye(int(labels.max()) + 1)[labels])


def _prepare(symbols: Symbols, lengths: NDArray[np.integer] | None, levels: Sequence[int]) -> _Data:
    n_steps, n_sequences, _ = symbols.shape
    if not n_steps * n_sequences:
        raise ValueError("there is nothing to learn from: symbols are empty")
    ends = np.full(n_sequences, n_steps) if lengths is None else np.asarray(lengths)
    if ends.shape != (n_sequences,) or ends.min() < 1 or ends.max() > n_steps:
        raise ValueError(f"lengths must be {n_sequences} numbers from 1 to {n_steps}")
    inside = np.arange(n_steps)[:, None] < ends
    if (symbols[~inside] != MISSING).any():
        raise ValueError("symbols beyond a sequence's length must be missing")
    inside[0] = False  # no transition leads into a sequence's first step
    n_chunks = chunk_count(n_steps, n_sequences)
    counted = fold(inside[..., None].astype(np.intp), n_chunks)[..., 0] == 1
    return _Data(encode(fold(symbols, n_chunks), levels), n_sequences, counted)


def _expect(data: _Data, model: Hmm, anchor: tuple[Floats, ...]) -> _Counts:
    codes, digits = data.observed.codes, data.observed.digits
    table = likelihood_table((*model.emissions, *anchor), digits)
    passed = forward(model.start, model.transition, table, codes, data.n_sequences)
    if not passed.scale.all():
        raise ValueError("a sequence is impossible under the model: train with pseudo_count and emission_floor above 0")
    pairs = np.zeros_like(model.transition)
    emitted = np.zeros_like(table)
    gamma = passed.entry
    for t, beta, weighted in backward(model.transition, passed.weights, data.n_sequences):
        before = passed.alpha[t - 1] if t else passed.entry
        pairs += before @ (weighted * data.counted[t]).T
        gamma = passed.alpha[t] * beta
        for state, weights in enumerate(gamma):
            emitted[state] += np.bincount(codes[t], weights, minlength=len(digits))
    start = gamma[:, : data.n_sequences].sum(axis=1)
    return _Counts(start, model.transition * pairs, emitted, float(np.log(passed.scale).sum()))


def _maximise(counts: _Counts, digits: Ints, model: Hmm, pseudo_count: float, floor: float) -> Hmm:
    emissions = []
    for digit, old in zip(digits.T, model.emissions, strict=False):  # an anchor's digit comes last and is not learned
        of_level = digit[:, None] == np.arange(old.shape[1])
        emissions.append(_floored(_normalised(counts.codes @ of_level + pseudo_count, old), floor))
    return Hmm(
        _normalised(counts.start + pseudo_count, model.start),
        _normalised(counts.transition + pseudo_count, model.transition),
        tuple(emissions),
    )


def _normalised(counts: Floats, otherwise: Floats) -> Floats:
    """Rows of `counts` as distributions; a row that counted nothing stays what it was."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), otherwise)


def _floored(rows: Floats, floor: float) -> Floats:
    raised = np.maximum(rows, floor)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _largest_move(before: Hmm, after: Hmm) -> float:
    old = (before.start, before.transition, *before.emissions)
    new = (after.start, after.transition, *after.emissions)
    return max(float(abs(b - a).max()) for a, b in zip(old, new, strict=True))
