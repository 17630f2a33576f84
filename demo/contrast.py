"""Whether trouble shows: in, what was measured during it and a model's calm history; out, how far apart they are."""

from collections.abc import Iterable

import numpy as np

from predictor.trained import Trained
from telemetry.point import Point


def contrast(trained: Trained, domain: str, points: Iterable[Point]) -> float:
    """How many standard deviations the mean of the `points` is above calm, in the metric where that is most.

    NaN where nothing was measured.
    """
    history, column = trained.history, trained.column[domain]
    values = np.array(
        [[point.fields.get(metric, np.nan) for metric in trained.model.metrics] for point in points], dtype=np.float64
    )
    seen = ~np.isnan(values)
    if not seen.any():
        return float("nan")
    mean = np.where(seen, values, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    departure = np.where(seen.any(axis=0), (mean - history.mean[column]) / history.sigma[column], -np.inf)
    return float(np.nanmax(departure))
