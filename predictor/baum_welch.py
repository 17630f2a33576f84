"""Symbol sequences, some perhaps labelled, come in; hidden Markov models fitted by Baum-Welch go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from predictor.chain import Chain
from predictor.expectation import Block, Counts, blocks, expect
from predictor.hmm import Hmm
from predictor.observations import MISSING, Floats, Ints, Symbols, encode, likelihood_table


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
    expected count of starts, transitions and emissions; emissions are raised to `emission_floor`, then scaled.

    Raises ValueError where shapes do not fit, or a sequence is impossible under the model.
    """
    model = random_model(n_states, levels, np.random.default_rng(rng)) if initial is None else initial
    if model.n_states != n_states or model.levels != tuple(levels):
        raise ValueError(f"initial has {model.n_states} states and levels {model.levels}, not {n_states} and {levels}")
    anchor: tuple[Floats, ...] = ()
    if labels is not None:
        # a state emits its label with certainty: to the recursions a label is one more digit, which is not learned
        anchor = (_certain(label_of_state, n_states),)
        symbols = np.concatenate([symbols, labels[..., None]], axis=-1)
    observed = encode(symbols, (*levels, *(emission.shape[1] for emission in anchor)))
    data = blocks(observed.codes, observed.missing, _checked_lengths(symbols, lengths), n_states)
    history: list[float] = []
    for _ in range(max_iterations):
        table = likelihood_table((*model.emissions, *anchor), observed.digits)
        counts = _expect(data, Chain.rarely(model.start, model.transition, table))
        history.append(counts.log_likelihood)
        before, model = model, _maximise(counts, observed.digits, model, pseudo_count, emission_floor)
        if _largest_move(before, model) <= tolerance:
            return Fit(model, tuple(history), len(history), converged=True)
    return Fit(model, tuple(history), len(history), converged=False)


def fit_restarts(
    symbols: Symbols,
    lengths: NDArray[np.integer] | None = None,
    *,
    restarts: int,
    rng: np.random.Generator | int,
    **options: Unpack[Options],
) -> list[Fit]:
    """`fit` from each of `restarts` independent random starts."""
    return [fit(symbols, lengths, rng=child, **options) for child in np.random.default_rng(rng).spawn(restarts)]


def random_model(n_states: int, levels: Sequence[int], rng: np.random.Generator) -> Hmm:
    """Draw every row evenly from all distributions (Dirichlet with parameters 1)."""
    return Hmm(
        rng.dirichlet(np.ones(n_states)),
        rng.dirichlet(np.ones(n_states), n_states),
        tuple(rng.dirichlet(np.ones(m), n_states) for m in levels),
    )


def _certain(label_of_state: Sequence[int] | NDArray[np.integer] | None, n_states: int) -> Floats:
    if label_of_state is None or len(label_of_state) != n_states:
        raise ValueError(f"labels need label_of_state: the label of each of the {n_states} states")
    labels = np.asarray(label_of_state)
    return np.asarray(np.eye(int(labels.max()) + 1)[labels])


def _checked_lengths(symbols: Symbols, lengths: NDArray[np.integer] | None) -> Ints:
    n_steps, n_sequences, _ = symbols.shape
    if not n_steps * n_sequences:
        raise ValueError("there is nothing to learn from: symbols are empty")
    checked = np.full(n_sequences, n_steps) if lengths is None else np.asarray(lengths, dtype=np.intp)
    if checked.shape != (n_sequences,) or checked.min() < 1 or checked.max() > n_steps:
        raise ValueError(f"lengths must be {n_sequences} numbers from 1 to {n_steps}")
    if (symbols[np.arange(n_steps)[:, None] >= checked] != MISSING).any():
        raise ValueError("symbols and labels beyond a sequence's length must be missing (-1)")
    return checked


def _expect(data: Sequence[Block], chain: Chain) -> Counts:
    counts = [expect(block, chain) for block in data]
    return Counts(
        np.sum([c.start for c in counts], axis=0),
        np.sum([c.transition for c in counts], axis=0),
        np.sum([c.codes for c in counts], axis=0),
        sum(c.log_likelihood for c in counts),
    )


def _maximise(counts: Counts, digits: Ints, model: Hmm, pseudo_count: float, floor: float) -> Hmm:
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
