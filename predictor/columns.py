"""Coded sequences come in; they go out side by side as columns, long ones cut into chunks, and results back again.

A step of numpy then always has many columns to advance at once, be there a thousand sequences or a single long one.
"""

from dataclasses import dataclass

import numpy as np

from predictor.observations import Floats, Ints

_COLUMNS = 768
"""as many that numpy's cost per call is small beside its work, as few that a step stays in the second-level cache"""
_CHUNK_STEPS = 128


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


def fold(codes: Ints, missing: int) -> Columns:
    """Cut `codes` `[T, S]` into as many chunks as is fast, the last one filled up with `missing`."""
    n_steps, n_sequences = codes.shape
    most = min(_COLUMNS // max(n_sequences, 1), n_steps // _CHUNK_STEPS)
    if most < 2:
        return Columns(codes, n_sequences, n_steps)
    length = -(-n_steps // most)
    whole, rest = divmod(n_steps, length)
    side_by_side = np.full((length, whole + (rest > 0), n_sequences), missing)
    side_by_side[:, :whole] = codes[: whole * length].reshape(whole, length, n_sequences).swapaxes(0, 1)
    side_by_side[:rest, whole:] = codes[whole * length :, None]
    return Columns(side_by_side.reshape(length, -1), n_sequences, n_steps)
