"""Every Flux text of Hefery: in, what is asked of a bucket; out, a text and the values that the server binds in it.

Values never become part of a text: they are bound as options. Tags' names do, for Flux wants columns literally, so they
must be the schema's (`check_names`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from telemetry.point import END_OF_TIME_NS
from telemetry.schema import SCHEMA
from telemetry.store import Grid

Parameter = str | int | list[str]

_POINTS = """from(bucket: bucket)
  |> range(start: time(v: start_ns), stop: time(v: stop_ns))
  |> filter(fn: (r) => r._measurement == measurement)"""


@dataclass(frozen=True)
class Query:
    """A Flux text and its parameters."""

    text: str
    parameters: Mapping[str, Parameter]
    columns: tuple[str, ...]
    """Columns of the answer, in the order in which to read them."""


PROBE = Query('import "array" array.from(rows: [{ready: true}])', {}, ("ready",))
"""Answered to whoever has a valid token and names the right organisation."""


def window(
    bucket: str, measurement: str, grid: Grid, *, fields: Sequence[str], by: Sequence[str], where: Mapping[str, str]
) -> Query:
    """Means of `fields` in the steps of `grid`, for each value of the tags `by`; steps without points are left out."""
    names: dict[str, Parameter] = {f"field{i}": name for i, name in enumerate(fields)}
    steps = (
        f"filter(fn: (r) => {' or '.join(f'r._field == {parameter}' for parameter in names)})",
        "group(columns: row)",
        'aggregateWindow(every: duration(v: step_ns), fn: mean, createEmpty: false, timeSrc: "_start")',
    )
    parameters = names | {"row": [*by, "_field"], "step_ns": grid.step_ns}
    return _query(
        bucket, measurement, (grid.start_ns, grid.stop_ns), where, tags=by, steps=steps, parameters=parameters
    )


def latest(bucket: str, measurement: str, since_ns: int, *, where: Mapping[str, str]) -> Query:
    """The newest value of each field of each tag set."""
    return _query(bucket, measurement, (since_ns, END_OF_TIME_NS), where, steps=("last()",))


def events(bucket: str, measurement: str, start_ns: int, stop_ns: int, *, where: Mapping[str, str]) -> Query:
    """All values of all fields."""
    return _query(bucket, measurement, (start_ns, min(stop_ns, END_OF_TIME_NS)), where)


def _query(
    bucket: str,
    measurement: str,
    span_ns: tuple[int, int],
    where: Mapping[str, str],
    *,
    tags: Sequence[str] | None = None,
    steps: Sequence[str] = (),
    parameters: Mapping[str, Parameter] = MappingProxyType({}),
) -> Query:
    columns = [*(SCHEMA[measurement].tags if tags is None else tags), "_field", "_time", "_value"]
    filters = [f'filter(fn: (r) => r["{tag}"] == where_{tag})' for tag in where]
    text = "\n  |> ".join([_POINTS, *filters, *steps, "keep(columns: columns)"])
    bound: dict[str, Parameter] = {f"where_{tag}": value for tag, value in where.items()}
    bound |= {"bucket": bucket, "measurement": measurement, "start_ns": span_ns[0], "stop_ns": span_ns[1]}
    return Query(text, bound | {"columns": columns} | dict(parameters), tuple(columns))
