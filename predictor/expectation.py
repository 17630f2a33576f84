"""Coded sequences and a hidden Markov model come in; expected counts of starts, transitions and codes go out."""

from dataclasses import dataclass

import numpy as np

from predictor.chain import Chain, backward
from predictor.columns import Columns, fold
from predictor.observations import Floats, Ints
from predictor.recursions import Forward, forward, run_backward

_BLOCK_SEQUENCES = 512
_BLOCK_OBSERVATIONS = 2**21
"""80 bytes each are remembered with 9 states: 170 MB"""
_COUNTED_STEPS = 8


@dataclass(frozen=True)
class Block:
    """Sequences that go through the recursions together, and room for what these leave behind."""

    columns: Columns
    last: Ints
    """[C*S] the last step of each column that lies inside its sequence; below 0 where there is none"""
    room: Forward
    """for all blocks the same memory, used by turns"""


@dataclass(frozen=True)
class Counts:
    """What is expected to have happened in the sequences, by N states and K codes."""

    start: Floats
    """[N]"""
    transition: Floats
    """[N, N]"""
    codes: Floats
    """[N, K]"""
    log_likelihood: float


def blocks(codes: Ints, missing: int, lengths: Ints, n_states: int) -> list[Block]:
    """Cut `codes` `[T, S]`, padded at the ends with `missing`, into blocks of sequences of about the same length."""
    order = np.argsort(lengths)
    cut: list[tuple[Columns, Ints]] = []
    while order.size:
        n_steps = lengths[order[-1]]
        size = max(1, min(_BLOCK_SEQUENCES, _BLOCK_OBSERVATIONS // n_steps))
        order, chosen = order[:-size], order[-size:]
        columns = fold(codes[:n_steps].take(chosen, axis=1), missing)
        chunk = np.arange(columns.codes.shape[1]) // len(chosen)
        cut.append((columns, np.resize(lengths[chosen], len(chunk)) - chunk * len(columns.codes) - 1))
    largest = tuple(np.max([columns.codes.shape for columns, _ in cut], axis=0))
    room = Forward.empty(n_states, largest)
    return [Block(columns, last, room.part(columns.codes.shape)) for columns, last in cut]


def expect(block: Block, chain: Chain) -> Counts:
    """Count by the forward-backward algorithm; raises ValueError where a sequence is impossible."""
    columns, room = block.columns, block.room
    forward(chain, columns, room)
    if not room.scale.all():
        raise ValueError("a sequence is impossible under the model: train with pseudo_count and emission_floor above 0")
    return run_backward(chain, columns, room, lambda beta: _count(block, chain, beta))


def _count(block: Block, chain: Chain, beta: Floats) -> Counts:
    codes, alpha, scale = block.columns.codes, block.room.alpha, block.room.scale
    all_inside = block.last.min()
    pairs, emitted = np.zeros_like(chain.transition), np.zeros_like(chain.table)
    gammas = np.empty((len(chain.start), _COUNTED_STEPS, codes.shape[1]))
    for t, weighted in backward(chain, codes, scale, beta):
        slot = t % _COUNTED_STEPS
        np.multiply(alpha[t], beta, out=gammas[:, slot])
        if slot == 0:
            counted = codes[t : t + _COUNTED_STEPS]
            for state, gamma in enumerate(gammas[:, : len(counted)]):
                emitted[state] += np.bincount(counted.ravel(), gamma.ravel(), minlength=chain.table.shape[1])
        inside = weighted if t <= all_inside else weighted * (t <= block.last)
        pairs += (alpha[t - 1] if t else block.room.entry) @ inside.T
    starts = gammas[:, 0, : block.columns.n_sequences].sum(axis=1)
    return Counts(starts, chain.transition * pairs, emitted, float(np.log(scale).sum()))
