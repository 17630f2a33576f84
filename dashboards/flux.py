"""Flux that Grafana completes: in, names of the schema; out, queries whose every name the schema knows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from telemetry.schema import SCHEMA
from telemetry.settings import InfluxBuckets

BUCKETS: Final = InfluxBuckets()
"""The buckets of roles/influxdb."""
DASHBOARD: Final = "v.timeRangeStart"
"""The start of the time that the dashboard shows."""
_STOP: Final = "v.timeRangeStop"
_NS_PER_S: Final = "1000000000.0"


class Fold(StrEnum):
    """What stands for the values of a window. Empty windows give no value, so that gaps are seen.

    Flux drops empty windows for its own max and min; of the exact quantiles it does not.
    """

    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    HIGHEST = '(column, tables=<-) => tables |> quantile(column: column, q: 1.0, method: "exact_mean")'
    LOWEST = '(column, tables=<-) => tables |> quantile(column: column, q: 0.0, method: "exact_mean")'


@dataclass(frozen=True)
class Flux:
    """A query, and the columns by which its answer is read."""

    text: str
    columns: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    def pipe(self, *steps: str, columns: Sequence[str] | None = None) -> "Flux":
        """The query with further steps."""
        text = "\n  |> ".join([self.text, *steps])
        return Flux(text, self.columns if columns is None else tuple(columns), self.imports)

    def keep(self, *columns: str) -> "Flux":
        """The query with these columns alone."""
        return self.pipe(f"keep(columns: {array(columns)})", columns=columns)

    def drop(self, column: str) -> "Flux":
        """The query without a column."""
        left = [name for name in self.columns if name != column]
        return self.pipe(f'drop(columns: ["{column}"])', columns=left)

    @property
    def query(self) -> str:
        """What Grafana sends."""
        return "".join(f'import "{name}"\n' for name in self.imports) + self.text


def points(measurement: str, *fields: str, where: Sequence[str] = (), since: str = DASHBOARD) -> Flux:
    """The values of the fields; tags in `where` are chosen by the dashboard's variables of the same names.

    `since` is where the time begins: a time, or a duration before the end.
    """
    known = SCHEMA[measurement]
    check(fields, known.fields, f"{measurement}'s fields")
    check(where, known.tags, f"{measurement}'s tags")
    bucket = getattr(BUCKETS, known.bucket)
    tests = [f'r._measurement == "{measurement}"', any_of("_field", fields)]
    tests += [f"r.{tag} =~ /^${{{tag}:regex}}$/" for tag in where]
    start = since if since == DASHBOARD else f"date.sub(from: {_STOP}, d: {since})"
    steps = (f"range(start: {start}, stop: {_STOP})", f"filter(fn: (r) => {' and '.join(tests)})")
    return Flux(f'from(bucket: "{bucket}")', (), () if since == DASHBOARD else ("date",)).pipe(*steps)


def any_of(column: str, values: Sequence[str]) -> str:
    """A test for one of the values."""
    either = " or ".join(f'r.{column} == "{value}"' for value in values)
    return f"({either})" if len(values) > 1 else either


def check(asked: Sequence[str], known: Collection[str], where: str) -> None:
    """Raise ValueError where a name is not known."""
    if unknown := [name for name in asked if name not in known]:
        raise ValueError(f"{unknown[0]!r} is none of {where}: {', '.join(known)}")


def curves(source: Flux, fold: Fold, by: Sequence[str] = ()) -> Flux:
    """A curve for each field and value of the tags `by`."""
    return source.pipe(
        f"group(columns: {array([*by, '_field'])})",
        f"aggregateWindow(every: v.windowPeriod, fn: {fold})",
        f"keep(columns: {array(['_time', '_value', '_field', *by])})",
        columns=("_time", "_value", *by),
    )


def newest(source: Flux, by: Sequence[str], fields: Sequence[str]) -> Flux:
    """The newest values: a row for each value of the tags `by`, a column for each field; they must be of one type."""
    return (
        newest_of_each(source, by)
        .pipe(
            f"group(columns: {array(by)})",
            f'pivot(rowKey: {array(by)}, columnKey: ["_field"], valueColumn: "_value")',
            "group()",
        )
        .keep(*by, *fields)
    )


def newest_of_each(source: Flux, by: Sequence[str]) -> Flux:
    """The newest point of each field and value of the tags `by`, whatever its other tags."""
    return source.pipe("last()", f"group(columns: {array([*by, '_field'])})", 'sort(columns: ["_time"])', "last()")


def age_s(column: str = "_time") -> str:
    """How old a time is where the shown time ends, in seconds."""
    return f"float(v: int(v: {_STOP}) - int(v: r.{column})) / {_NS_PER_S}"


def array(names: Sequence[str]) -> str:
    """A Flux array of texts."""
    return f"[{', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}]"
