"""Domains' metrics on a regular grid: in, a store and a span of time; out, arrays whose gaps are NaN."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.store import Grid, Store

METRICS: Final = ("cpu_ratio", "memory_ratio", "network_bytes_per_s", "disk_ops_per_s")
"""The fields of the measurement `domain` that forecasts are made from."""
LEAST_DEVIATIONS: Final = (0.01, 0.005, 1000.0, 1.0)
"""Of each metric, in its unit: an idle domain's first packet or write is no news, though it never moved before."""


@dataclass(frozen=True)
class Series:
    """What was measured of S domains in T steps: `values [T, S, M]` in the order of METRICS, NaN where nothing was."""

    grid: Grid
    domains: tuple[str, ...]
    values: NDArray[np.float64]


def complete_until_ns(now_ns: int, step_ns: int, lag_ns: int) -> int:
    """The end of the newest step that is over since `lag_ns`, the time that late points are given to arrive."""
    return max(0, now_ns - lag_ns) // step_ns * step_ns


def grid_between(start_ns: int, stop_ns: int, step_ns: int) -> Grid:
    """The whole steps between two instants; none where there is no room for one."""
    first = -(-max(0, start_ns) // step_ns)
    return Grid(first * step_ns, step_ns, max(0, stop_ns // step_ns - first))


def read(store: Store, grid: Grid, only: Sequence[str] | None = None) -> Series:
    """Every domain that was measured in the span; or `only` those given, in their order, whether measured or not.

    A domain's host is of no account, for it may move. Raises StoreError.
    """
    window = store.window("domain", METRICS, grid, by=["domain"])
    found = tuple(domain for (domain,) in window.rows)
    if only is None:
        return Series(grid, found, window.values)
    values = np.full((grid.count, len(only), len(METRICS)), np.nan)
    rows = {domain: row for row, domain in enumerate(found)}
    for column, domain in enumerate(only):
        if domain in rows:
            values[:, column] = window.values[:, rows[domain]]
    return Series(grid, tuple(only), values)
