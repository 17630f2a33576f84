"""Points of one measurement as columns: in, points; out, bytes to store, and from those points and means again."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from telemetry.point import Point, Value
from telemetry.schema import SCHEMA
from telemetry.store import Grid


@dataclass(frozen=True)
class Batch:
    """`n` points as they were written together; NaN or null where a point lacks a field that another has."""

    series: bytes
    """Numbers of the points' tag sets, int32 [n]."""
    times: bytes
    """ns, int64 [n]."""
    float_names: str
    """JSON list of the float fields."""
    floats: bytes
    """float64 [n, float field]."""
    others: str
    """JSON object: the fields of other kinds, each a list [n]."""
    number: int = 0
    """Grows with every batch that is written."""


@dataclass(frozen=True)
class Samples:
    """Points of many batches: numbers of `series [n]` and `batch [n]`, `times [n]` ns, `values [n, field]`, or NaN."""

    series: NDArray[np.int32]
    times: NDArray[np.int64]
    batch: NDArray[np.int64]
    values: NDArray[np.float64]


def encode(points: Sequence[Point], series: Sequence[int]) -> Batch:
    """The batch of `points` of one measurement; `series` numbers their tag sets."""
    present = {name for point in points for name in point.fields}
    kinds = {name: field.kind for name, field in SCHEMA[points[0].measurement].fields.items() if name in present}
    float_names = [name for name, kind in kinds.items() if kind == "float"]
    floats = [[point.fields.get(name, np.nan) for name in float_names] for point in points]
    others = {name: [point.fields.get(name) for point in points] for name, kind in kinds.items() if kind != "float"}
    return Batch(
        np.array(series, dtype="<i4").tobytes(),
        np.array([point.time_ns for point in points], dtype="<i8").tobytes(),
        json.dumps(float_names),
        np.array(floats, dtype="<f8").tobytes(),
        json.dumps(others),
    )


def samples(batches: Iterable[Batch], fields: Sequence[str]) -> Samples:
    """The numeric `fields` of `batches`; raises ValueError where a batch is damaged."""
    parts = [
        _alike(json.loads(names), list(group), fields) for names, group in groupby(batches, lambda b: b.float_names)
    ]
    return join(parts, len(fields))


def join(parts: Sequence[Samples], width: int) -> Samples:
    """All `parts` as one; `width` is the number of fields, for the case that there are no parts."""
    nothing = Samples(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, width)))
    columns = zip(*((part.series, part.times, part.batch, part.values) for part in [nothing, *parts]), strict=True)
    return Samples(*(np.concatenate(column) for column in columns))


def _alike(float_names: Sequence[str], batches: Sequence[Batch], fields: Sequence[str]) -> Samples:
    """The samples of batches that have the same float fields: joined as bytes, for there may be very many."""
    times = np.frombuffer(b"".join(batch.times for batch in batches), "<i8")
    series = np.frombuffer(b"".join(batch.series for batch in batches), "<i4").reshape(len(times))
    floats = np.frombuffer(b"".join(batch.floats for batch in batches), "<f8").reshape(len(times), len(float_names))
    number = np.repeat([batch.number for batch in batches], [len(batch.times) // 8 for batch in batches])
    known = [floats[:, float_names.index(name)] if name in float_names else _others(batches, name) for name in fields]
    return Samples(series, times, number, np.stack(known, axis=1) if known else np.empty((len(times), 0)))


def _others(batches: Sequence[Batch], field: str) -> NDArray[np.float64]:
    lists = [json.loads(batch.others).get(field) or [None] * (len(batch.times) // 8) for batch in batches]
    return np.array([value for values in lists for value in values], dtype=np.float64)


def points(
    measurement: str,
    batches: Sequence[Batch],
    tags_of_series: Mapping[int, Mapping[str, str]],
    start_ns: int,
    stop_ns: int,
    *,
    newest: bool,
) -> list[Point]:
    """The points of these series with start <= time < stop, only the `newest` of each if asked; repeats are merged.

    Fields that this version's schema does not know are passed over.
    """
    ordered = sorted(batches, key=attrgetter("number"))
    given = samples(ordered, ())
    asked = np.isin(given.series, list(tags_of_series)) & (given.times >= start_ns) & (given.times < stop_ns)
    if newest:
        newest_ns = np.zeros(int(given.series.max(initial=0)) + 1, np.int64)
        np.maximum.at(newest_ns, given.series[asked], given.times[asked])
        asked &= given.times == newest_ns[given.series]
    merged: dict[tuple[int, int], dict[str, Value]] = {}
    ends = np.cumsum([len(batch.times) // 8 for batch in ordered])
    for batch, asked_of_batch in zip(ordered, np.split(asked, ends)[: len(ordered)], strict=True):
        for series, time_ns, fields in _rows(batch, np.flatnonzero(asked_of_batch)):
            known = {name: value for name, value in fields.items() if name in SCHEMA[measurement].fields}
            merged.setdefault((series, time_ns), {}).update(known)
    return [
        Point(measurement, tags_of_series[series], fields, time_ns)
        for (series, time_ns), fields in merged.items()
        if fields
    ]


def _rows(batch: Batch, positions: NDArray[np.int64]) -> Iterator[tuple[int, int, dict[str, Value]]]:
    """Series, time and fields of the points at `positions`."""
    if not len(positions):
        return
    float_names, others = json.loads(batch.float_names), json.loads(batch.others)
    series, times = np.frombuffer(batch.series, "<i4").tolist(), np.frombuffer(batch.times, "<i8").tolist()
    floats = np.frombuffer(batch.floats, "<f8").reshape(len(times), len(float_names)).tolist()
    for i in positions:
        known = {name: value for name, value in zip(float_names, floats[i], strict=True) if not math.isnan(value)}
        yield series[i], times[i], known | {name: values[i] for name, values in others.items() if values[i] is not None}


def means(given: Samples, row_of_series: NDArray[np.int64], grid: Grid) -> NDArray[np.float64]:
    """Mean values [step, row, field] on `grid`, NaN in gaps; of points written again, a field's last value counts.

    `row_of_series [series]` is -1 for the series that are not asked for.
    """
    row, width = row_of_series[given.series], int(row_of_series.max(initial=-1)) + 1
    asked = np.flatnonzero((row >= 0) & (given.times >= grid.start_ns) & (given.times < grid.stop_ns))
    # the sort is stable: repeats within a batch stay in their order
    order = asked[np.lexsort((given.batch[asked], given.times[asked], given.series[asked]))]
    cell = (given.times - grid.start_ns) // grid.step_ns * width + row
    result = np.full((grid.count * width, given.values.shape[1]), np.nan)
    for field, values in enumerate(given.values.T):
        kept = _last_of_repeats(given, order[~np.isnan(values[order])])
        counts = np.bincount(cell[kept], minlength=len(result))
        sums = np.bincount(cell[kept], values[kept], len(result))
        np.divide(sums, counts, out=result[:, field], where=counts > 0)
    return result.reshape(grid.count, width, given.values.shape[1])


def _last_of_repeats(given: Samples, ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the samples at `ordered` (by series, time, writing) the last one of each series and time."""
    series, times = given.series[ordered], given.times[ordered]
    is_last = np.ones(len(ordered), bool)
    is_last[:-1] = (series[1:] != series[:-1]) | (times[1:] != times[:-1])
    kept: NDArray[np.int64] = ordered[is_last]
    return kept
