"""Symbols of several digits come in; one code per observation and the digits that each code stands for go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Symbols = NDArray[np.integer]

MISSING = -1


@dataclass(frozen=True)
class Observations:
    """Coded observations: what a step looks up is one column of a table, however many digits a symbol has."""

    codes: Ints
    """[...] which of the K distinct observations each one is"""
    digits: Ints
    """[K, D] the digits of each code; a missing digit d is written as its number of levels M_d"""

    @property
    def missing(self) -> int:
        """The code of an observation whose digits are all missing."""
        return len(self.digits) - 1


def encode(symbols: Symbols, levels: Sequence[int]) -> Observations:
    """Code each observation `symbols[..., :]` of D digits, `MISSING` where a digit is, by mixed radix.

    Raises ValueError where `symbols` are not integers, have not one digit per entry of `levels`, or a digit is out of
    its levels.
    """
    if not np.issubdtype(symbols.dtype, np.integer):
        raise ValueError(f"symbols must be integers, not {symbols.dtype}")
    if symbols.ndim == 0 or symbols.shape[-1] != len(levels):
        raise ValueError(f"symbols of shape {symbols.shape} must end in {len(levels)} digits, one per emission table")
    radix = tuple(m + 1 for m in levels)
    size = prod(radix)
    if size > np.iinfo(np.intp).max:
        raise ValueError(f"digits of {tuple(levels)} levels have too many combinations to count: use fewer digits")
    written = np.moveaxis(symbols, -1, 0).astype(np.intp, order="C")
    for d, (digit, m) in enumerate(zip(written, levels, strict=True)):
        if digit.size and not MISSING <= digit.min() <= digit.max() < m:
            raise ValueError(f"digit {d} runs from {digit.min()} to {digit.max()}: must be -1 (missing) to {m - 1}")
        digit[digit == MISSING] = m
    codes = written[0]
    for digit, base in zip(written[1:], radix[1:], strict=True):
        codes *= base
        codes += digit
    if size <= codes.size + 1:
        kinds = np.arange(size)
    else:  # most combinations do not occur: keep those that do, and the one all missing
        kinds, inverse = np.unique(np.append(codes, size - 1), return_inverse=True)
        codes = inverse[:-1].reshape(codes.shape)
    return Observations(codes, np.stack(np.unravel_index(kinds, radix), axis=-1))


def likelihood_table(emissions: Sequence[Floats], digits: Ints) -> Floats:
    """p(code given state) `[..., N, K]` from `emissions` `[..., N, M_d]`: the product over the digits not missing."""
    result = np.ones((*emissions[0].shape[:-1], len(digits)))
    for digit, emission in zip(digits.T, emissions, strict=True):
        certain = np.ones((*emission.shape[:-1], 1))
        result *= np.concatenate([emission, certain], axis=-1)[..., digit]
    return result
