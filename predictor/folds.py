"""The health of lessons comes in; pieces of them to hold out together, each with trouble of its own, go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.model import FAILED, NORMAL

Health = NDArray[np.intp]

MOST_FOLDS: Final = 5
"""As many fits as restarts, of one start each: calibration doubles the time that training takes."""


@dataclass(frozen=True)
class Piece:
    """Some `steps` of all domains of the lesson of this number."""

    lesson: int
    steps: slice


Fold = tuple[Piece, ...]


def deal(health: Sequence[Health]) -> list[Fold]:
    """Deal all lessons, by their `health [T, S]`, into folds that each hold a failure; none if there are not two.

    Domains that were in trouble at the same time may have had one cause, so their steps are kept together: a lesson is
    cut only between one trouble and the next.
    """
    pieces = [piece for number, one in enumerate(health) for piece in _cut(number, one)]
    failing = [piece for piece in pieces if (health[piece.lesson][piece.steps] == FAILED).any()]
    if len(failing) < 2:
        return []
    dealt = failing + [piece for piece in pieces if piece not in failing]
    n_folds = min(len(failing), MOST_FOLDS)
    return [tuple(dealt[first::n_folds]) for first in range(n_folds)]


def _cut(number: int, health: Health) -> list[Piece]:
    """Midway between the end of one trouble and the beginning of the next."""
    troubled = (health > NORMAL).any(axis=1)
    edges = np.flatnonzero(np.diff(troubled, prepend=False, append=False))
    bounds = [0, *(edges[1:-1].reshape(-1, 2).sum(axis=1) // 2).tolist(), len(health)]
    return [Piece(number, slice(start, stop)) for start, stop in pairwise(bounds)]


def failed_within(health: Health, steps: int) -> NDArray[np.bool_]:
    """Whether, after each step of `health [T, S]`, one of the next `steps` is failed; the last step's health lasts."""
    failed = health == FAILED
    lasting = np.concatenate([failed[1:], np.repeat(failed[-1:], steps, axis=0)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(lasting, steps, axis=0).any(axis=-1))
