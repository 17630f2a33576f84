"""Expected counts equal the enumeration of all paths, however sequences are cut into blocks."""

import numpy as np
import pytest

from predictor import hmm
from predictor.chain import Chain
from predictor.expectation import Counts, blocks, expect
from predictor.hmm import Hmm
from predictor.observations import Ints, Symbols, encode, likelihood_table
from tests.predictor.enumeration import Paths, draw


def count(model: Hmm, symbols: Symbols, lengths: Ints) -> tuple[list[Counts], Ints]:
    observed = encode(symbols, model.levels)
    chain = Chain.rarely(model.start, model.transition, likelihood_table(model.emissions, observed.digits))
    data = blocks(observed.codes, observed.missing, lengths, model.n_states)
    return [expect(block, chain) for block in data], observed.digits


def test_counts_equal_enumeration_of_all_paths() -> None:
    model, symbols = draw(0, n_steps=6, n_sequences=4)
    lengths = np.array([6, 1, 3, 6])
    symbols[np.arange(6)[:, None] >= lengths] = -1
    (counts,), digits = count(model, symbols, lengths)
    starts, pairs, log_likelihood = np.zeros(3), np.zeros((3, 3)), 0.0
    emitted = [np.zeros((3, m)) for m in model.levels]
    for s, length in enumerate(lengths):
        paths = Paths.through(model, symbols[:length, s])
        starts += paths.state_at(0)
        pairs += paths.pairs()
        log_likelihood += np.log(paths.p.sum())
        for t, d in zip(*np.nonzero(symbols[:length, s] >= 0), strict=True):
            emitted[d][:, symbols[t, s, d]] += paths.state_at(t)
    np.testing.assert_allclose(counts.start, starts, rtol=1e-10)
    np.testing.assert_allclose(counts.transition, pairs, rtol=1e-10)
    np.testing.assert_allclose(counts.log_likelihood, log_likelihood, rtol=1e-10)
    for d, m in enumerate(model.levels):
        ours = np.stack([counts.codes[:, digits[:, d] == level].sum(axis=1) for level in range(m)], axis=1)
        np.testing.assert_allclose(ours, emitted[d], rtol=1e-10)


def test_counts_of_long_sequences_equal_sums_over_beliefs() -> None:
    model, symbols = draw(1, n_steps=2000, n_sequences=2)
    lengths = np.array([1999, 700])
    symbols[np.arange(2000)[:, None] >= lengths] = -1
    (counts,), digits = count(model, symbols, lengths)
    gammas = [hmm.smooth(model, symbols[:length, s : s + 1])[..., 0] for s, length in enumerate(lengths)]
    np.testing.assert_allclose(counts.start, sum(gamma[0] for gamma in gammas), rtol=1e-10)
    np.testing.assert_allclose(counts.transition.sum(axis=1), sum(g[:-1].sum(axis=0) for g in gammas), rtol=1e-10)
    np.testing.assert_allclose(counts.transition.sum(axis=0), sum(g[1:].sum(axis=0) for g in gammas), rtol=1e-10)
    seen = np.concatenate([gamma[symbols[: len(gamma), s, 0] == 2] for s, gamma in enumerate(gammas)])
    np.testing.assert_allclose(counts.codes[:, digits[:, 0] == 2].sum(axis=1), seen.sum(axis=0), rtol=1e-10)


def test_blocks_hold_every_sequence_once() -> None:
    rng = np.random.default_rng(2)
    lengths = rng.integers(1, 30, 2500)
    codes = np.where(np.arange(30)[:, None] < lengths, np.arange(2500), 2500)
    data = blocks(codes, 2500, lengths, n_states=2)
    assert len(data) == 5
    np.testing.assert_array_equal(np.sort(np.concatenate([block.columns.codes[0] for block in data])), np.arange(2500))
    assert sum((block.columns.codes < 2500).sum() for block in data) == lengths.sum()
    assert sum(block.columns.codes.size for block in data) < codes.size, "short sequences go with short ones"


@pytest.mark.parametrize(("n_steps", "n_sequences", "n_blocks"), [(4, 2500, 5), (256, 896, 2)])
def test_counts_add_up_over_blocks(n_steps: int, n_sequences: int, n_blocks: int) -> None:
    """Of the two blocks the first has the longer columns, and the second more of them."""
    model, symbols = draw(3, n_steps=n_steps, n_sequences=n_sequences)
    counts, _ = count(model, symbols, np.full(n_sequences, n_steps))
    assert len(counts) == n_blocks
    np.testing.assert_allclose(sum(c.start.sum() for c in counts), n_sequences, rtol=1e-10)
    np.testing.assert_allclose(sum(c.transition.sum() for c in counts), n_sequences * (n_steps - 1), rtol=1e-10)
    total = hmm.log_likelihood(model, symbols).sum()
    np.testing.assert_allclose(sum(c.log_likelihood for c in counts), total, rtol=1e-10)


def test_an_impossible_sequence_is_refused() -> None:
    model = Hmm(np.array([1.0, 0.0]), np.eye(2), (np.eye(2),))
    symbols = np.array([[0, 0], [0, 1]])[..., None]
    with pytest.raises(ValueError, match="a sequence is impossible under the model"):
        count(model, symbols, np.array([2, 2]))
