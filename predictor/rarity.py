"""How rare a value is among calm ones: in, a sample taken in calm times; out, decades of rarity."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_KEPT: Final = 10_000
"""Order statistics kept of a larger sample: enough to tell one in ten thousand."""


@dataclass(frozen=True)
class Rarity:
    """The sorted calm `sample [n]`."""

    sample: Floats

    @classmethod
    def learn(cls, calm: Floats) -> "Rarity":
        """Keep what is needed of the `calm` values, any shape, NaN left out; raises ValueError where there are none."""
        values = np.sort(calm[~np.isnan(calm)], axis=None)
        if not values.size:
            raise ValueError("no calm values to compare with: train on a span in which the domain was measured")
        if values.size > MOST_KEPT:
            values = values[np.linspace(0, values.size - 1, MOST_KEPT).round().astype(np.intp)]
        return cls(values)

    def decades(self, values: Floats) -> Floats:
        """-log10 P(a calm value is at least this large), at least 0; NaN stays NaN.

        P = (1 + how many are) / (1 + n), as in a permutation test: n calm values cannot prove anything rarer than
        1 in n + 1.
        """
        as_large = self.sample.size - np.searchsorted(self.sample, values, side="left")
        rarity = -np.log10((1 + as_large) / (1 + self.sample.size))
        return np.where(np.isnan(values), np.nan, rarity)


def exceeded_by(calm: Floats, share: float) -> float:
    """The lowest threshold that at most this share of the `calm` values, NaN left out, is at or above."""
    values = np.sort(calm[~np.isnan(calm)], axis=None)
    may_exceed = min(int(share * values.size), values.size - 1)
    return float(np.nextafter(values[values.size - 1 - may_exceed], np.inf))
