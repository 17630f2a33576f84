"""Metrics on a grid come in; how far each is from its domain's calm history, and the symbols an HMM observes, go out.

Arrays end in [S, M]: S domains, M metrics. What was not seen is NaN, and its digit is MISSING.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.observations import MISSING

Floats = NDArray[np.float64]
Symbols = NDArray[np.intp]

SIGMA_FLOOR_SHARE: Final = 0.02
"""A deviation below this share of the mean is no news (docs/defaults.md)."""
LARGEST_DEPARTURE: Final = 100.0
"""In standard deviations: one absurd value (the first write to an idle disk) must not rule the averages for long."""

_PAPER_LEVELS: Final = (3, 2, 2, 2)
"""Levels of CPU, memory, network, disk: 24 symbols. The paper says "2 to 3" and means against the metric's own mean."""
_PAPER_CUTS: Final = {2: (1.0,), 3: (0.5, 1.5)}
"""Where the levels part, in means: two levels at the mean itself; three leave "medium" half a mean to either side."""
SIGMA_CUT: Final = 3.0
TREND_CUTS: Final = (1.0, 3.0)
_LEVELS: Final = 3


@dataclass(frozen=True)
class History:
    """Mean and standard deviation `[S, M]` of each domain's metrics in calm times; NaN for one never measured."""

    mean: Floats
    sigma: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which metrics `[S, M]` the domains have."""
        return ~np.isnan(self.mean)


@dataclass(frozen=True)
class Averaging:
    """Weights of the newest value in the exponentially weighted averages."""

    fast: float = 0.3
    slow: float = 0.05
    surprisal: float = 0.1


@dataclass(frozen=True)
class Trend:
    """Where the averages stand: of each metric's departure, `fast` and `slow` `[..., S, M]`, and the largest rise.

    `rise [..., S]` is the fast average of the largest departure upwards among the metrics.
    """

    fast: Floats
    slow: Floats
    rise: Floats

    @classmethod
    def unknown(cls, n_domains: int, n_metrics: int) -> "Trend":
        """Before anything was seen."""
        return cls(
            np.full((n_domains, n_metrics), np.nan), np.full((n_domains, n_metrics), np.nan), np.full(n_domains, np.nan)
        )


def learn_history(values: Floats, floors: Floats | float = 0.0) -> History:
    """Mean and deviation over the steps of calm `values [T, S, M]`; deviations are at least `floors [M]`."""
    seen = (~np.isnan(values)).sum(axis=0)
    count = np.where(seen > 0, seen, np.nan)
    mean = np.nansum(values, axis=0) / count
    sigma = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / count)
    least = np.maximum(np.maximum(SIGMA_FLOOR_SHARE * np.abs(mean), floors), np.finfo(np.float64).tiny ** 0.5)
    return History(mean, np.where(np.isnan(mean), np.nan, np.maximum(sigma, least)))


def standardise(values: Floats, history: History) -> Floats:
    """Departures `[..., S, M]` from the history, in standard deviations, at most LARGEST_DEPARTURE either way."""
    return np.clip((values - history.mean) / history.sigma, -LARGEST_DEPARTURE, LARGEST_DEPARTURE)


def follow(departures: Floats, before: Trend, averaging: Averaging) -> Trend:
    """The averages after each step of `departures [T, S, M]`, from where they stood `before`; arrays of T steps."""
    largest = np.fmax.reduce(departures, axis=-1)
    return Trend(
        average(departures, before.fast, averaging.fast),
        average(departures, before.slow, averaging.slow),
        average(largest, before.rise, averaging.fast),
    )


def last(trend: Trend) -> Trend:
    """Where the averages of T steps stand at the end."""
    return Trend(trend.fast[-1], trend.slow[-1], trend.rise[-1])


def average(values: Floats, before: Floats, weight: float) -> Floats:
    """The exponentially weighted average after each step of `values [T, ...]`, from where it stood `before`.

    A missing value leaves it where it was; the first seen one starts it.
    """
    averages = np.empty_like(values)
    current = before
    for t, value in enumerate(values):
        moved = current + weight * (value - current)
        current = np.where(np.isnan(value), current, np.where(np.isnan(current), value, moved))
        averages[t] = current
    return averages


def sigma_levels(n_metrics: int) -> tuple[int, ...]:
    """Levels of each digit of `sigma_symbols`."""
    return (_LEVELS,) * (n_metrics + 1)


def sigma_symbols(departures: Floats, trend: Trend) -> Symbols:
    """Digits `[..., S, M + 1]`: each metric below, within or above 3 standard deviations, and how fast they move.

    The last digit cuts the largest |fast - slow average| at 1 and 3.
    """
    digits = _cut(departures, (-SIGMA_CUT, SIGMA_CUT))
    movement = np.fmax.reduce(np.abs(trend.fast - trend.slow), axis=-1)
    unseen = np.isnan(departures).all(axis=-1)
    movement_digit = _cut(np.where(unseen, np.nan, movement), TREND_CUTS)
    return np.concatenate([digits, movement_digit[..., None]], axis=-1)


def mean_levels(n_metrics: int) -> tuple[int, ...]:
    """The one digit of `mean_symbols` has this many levels (the paper's f(C') f(M') f(N') f(D'))."""
    return (int(np.prod(_PAPER_LEVELS[:n_metrics])),)


def mean_symbols(values: Floats, mean: Floats) -> Symbols:
    """The paper's symbol `[..., S, 1]`: every metric's level against its mean, joined by mixed radix.

    N = C' f(M') f(N') f(D') + M' f(N') f(D') + N' f(D') + D'; missing where a metric is.
    """
    levels = _PAPER_LEVELS[: values.shape[-1]]
    digits = [
        _cut(values[..., m], [cut * mean[..., m] for cut in _PAPER_CUTS[level]]) for m, level in enumerate(levels)
    ]
    joined = np.ravel_multi_index(tuple(np.maximum(digit, 0) for digit in digits), levels)
    missing = np.any([digit == MISSING for digit in digits], axis=0)
    return np.where(missing, MISSING, joined)[..., None]


def sigma_loads(n_metrics: int) -> tuple[Floats, ...]:
    """The load that each level of each digit of `sigma_symbols` stands for; the movement stands for none."""
    return (*((np.arange(_LEVELS, dtype=np.float64),) * n_metrics), np.zeros(_LEVELS))


def mean_loads(n_metrics: int) -> tuple[Floats, ...]:
    """The load that each of the `mean_symbols` stands for: its metrics' levels together."""
    levels = _PAPER_LEVELS[:n_metrics]
    return (np.sum(np.unravel_index(np.arange(int(np.prod(levels))), levels), axis=0).astype(np.float64),)


def _cut(values: Floats, cuts: Sequence[Floats | float]) -> Symbols:
    """The number of `cuts` that a value exceeds; missing where either is NaN."""
    level = sum((values > cut).astype(np.intp) for cut in cuts)
    unknown = np.isnan(values) | np.isnan(cuts[0])
    return np.where(unknown, MISSING, level)
