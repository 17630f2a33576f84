"""What protecting each domain costs now: in, measured checkpoints and CPU; out, the figures of the cost rule."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.cost import Cost
from predictor.policy_settings import CostSettings
from predictor.series import grid_between
from telemetry.store import Grid, Store
from telemetry.units import NS_PER_S

_MINUTE_NS: Final = 60 * NS_PER_S
_MINUTES: Final = 5
"""Long enough that the interval does not follow every ripple of what it costs."""


def measured(store: Store, settings: CostSettings, now_ns: int) -> dict[str, Cost]:
    """The costs by domain, NaN where a figure was not measured in the last minutes; raises StoreError.

    A CPU that is busy the share u of the time it is let run has a demand of u (1 - pause/period).
    """
    grid = grid_between(now_ns - (_MINUTES + 1) * _MINUTE_NS, now_ns, _MINUTE_NS)
    checkpoints = _means(store, "checkpoint", ("pause_ms", "send_ms", "period_ms"), grid)
    cpu = _means(store, "domain", ("cpu_ratio",), grid)
    responses = dict(zip(settings.intervals_ms, settings.response_s, strict=False))
    costs = {}
    for domain, (pause_ms, send_ms, period_ms) in checkpoints.items():
        (busy,) = cpu.get(domain, (np.nan,))
        ran = 1 - pause_ms / period_ms if period_ms > 0 else np.nan
        costs[domain] = Cost(pause_ms / 1000, send_ms / 1000, busy * ran, settings.service_s, responses)
    return costs


def _means(store: Store, measurement: str, fields: tuple[str, ...], grid: Grid) -> dict[str, tuple[float, ...]]:
    window = store.window(measurement, fields, grid, by=["domain"])
    means = _mean(window.values)
    return {domain: tuple(row) for (domain,), row in zip(window.rows, means.tolist(), strict=True)}


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over the steps, NaN where none was seen."""
    seen = ~np.isnan(values)
    total = np.where(seen, values, 0.0).sum(axis=0)
    return np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan)
