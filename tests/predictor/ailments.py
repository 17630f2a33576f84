"""A known process: domains that live quietly, and some that fall ill of a leak and fail."""

import numpy as np
from numpy.typing import NDArray

from predictor.learning import Lesson
from predictor.symbols import learn_history

Floats = NDArray[np.float64]

METRICS = ("cpu", "memory", "network", "disk")
STEPS = 150
ILL_FROM = 105
FAILED_FROM = 144
ILL = (0, 1)
"""The domains that fall ill."""
_CALM = np.array([0.3, 0.5, 2e6, 30.0])
_NOISE = np.array([0.03, 0.01, 2e5, 3.0])


def values(seed: int, ill: tuple[int, ...] = ILL, n_domains: int = 6) -> Floats:
    """Quiet life `[T, S, M]`, in which memory and CPU of the `ill` grow from ILL_FROM on; the failed send nothing."""
    rng = np.random.default_rng(seed)
    made = _CALM + _NOISE * rng.normal(size=(STEPS, n_domains, len(METRICS)))
    growth = np.clip((np.arange(STEPS) - ILL_FROM) / (STEPS - ILL_FROM), 0, 1)
    for domain in ill:
        made[:, domain, 0] += 0.6 * growth
        made[:, domain, 1] += 0.4 * growth
        made[FAILED_FROM:, domain, 2] = 0
    return made


def health(ill: tuple[int, ...] = ILL, n_domains: int = 6) -> NDArray[np.intp]:
    """The labels `[T, S]` of the same."""
    labels = np.zeros((STEPS, n_domains), dtype=np.intp)
    labels[ILL_FROM:, ill] = 1
    labels[FAILED_FROM:, ill] = 2
    return labels


def lesson(seed: int, ill: tuple[int, ...] = ILL, labels: NDArray[np.intp] | None = None) -> Lesson:
    """What was measured, with histories of the first 60 steps."""
    made = values(seed, ill)
    return Lesson(made, learn_history(made[:60]), health(ill) if labels is None else labels)
