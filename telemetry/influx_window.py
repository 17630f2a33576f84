"""A window from InfluxDB's rows: in, rows of tags, field, time and mean; out, the means on the grid."""

from collections.abc import Sequence

import numpy as np

from telemetry.store import Grid, Window


def to_window(rows: Sequence[Sequence[str]], fields: tuple[str, ...], grid: Grid) -> Window:
    """The window whose means are `rows`; what no row tells of is NaN."""
    keys = [tuple(row[:-3]) for row in rows]
    names = sorted(set(keys))
    row_of, field_of = {name: i for i, name in enumerate(names)}, {name: i for i, name in enumerate(fields)}
    times = np.array([row[-2].removesuffix("Z") for row in rows], "datetime64[ns]").astype(np.int64)
    steps = (times - grid.start_ns) // grid.step_ns
    values = np.full((grid.count, len(names), len(fields)), np.nan)
    values[steps, [row_of[key] for key in keys], [field_of[row[-3]] for row in rows]] = [float(row[-1]) for row in rows]
    return Window(grid, tuple(names), fields, values)
