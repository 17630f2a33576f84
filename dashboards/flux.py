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
STOP: Final = "v.timeRangeStop"
"""Its end."""
NS_PER_S: Final = "1000000000.0"


class Fold(StrEnum):
    """What stands for the values of a window."""

    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    HIGHEST = "max"
    LOWEST = "min"


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


def points(measurement: str, *fields: str, where: Sequence[str] = (), since: str = DASHBOARD, window: str = "") -> Flux:
    """The values of the fields; tags in `where` are chosen by the dashboard's variables of the same names.

    `since` is where the time begins: a time, or a duration before the end. With a `window` they are those that the
    store has folded the points of so long into, and kept for longer.
    """
    known = SCHEMA[measurement]
    check(fields, known.fields, f"{measurement}'s fields")
    check(where, known.tags, f"{measurement}'s tags")
    bucket = getattr(BUCKETS, known.bucket) + (f"-{window}" if window else "")
    tests = [f'r._measurement == "{measurement}"', any_of("_field", fields)]
    tests += [f"r.{tag} =~ /^${{{tag}:regex}}$/" for tag in where]
    start = since if since == DASHBOARD else f"date.sub(from: {STOP}, d: {since})"
    steps = (f"range(start: {start}, stop: {STOP})", f"filter(fn: (r) => {' and '.join(tests)})")
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
    """A curve for each field and value of the tags `by`; `source` are plain points, which the storage folds quickly.

    Series that `by` does not tell apart must not be of the same time, as those of a domain that moves between hosts.
    """
    return with_gaps(source.pipe(folded(fold)), "sum" if fold in {Fold.SUM, Fold.COUNT} else "mean", by)


def folded(fold: Fold) -> str:
    """The step that folds each series; the time of a window is its start, so that it stays in that window."""
    return f'aggregateWindow(every: v.windowPeriod, fn: {fold}, createEmpty: false, timeSrc: "_start")'


def with_gaps(source: Flux, fold: str, by: Sequence[str]) -> Flux:
    """One curve of the series that have the same field and tags `by`; windows without a value show that."""
    return source.pipe(
        f"group(columns: {array([*by, '_field'])})",
        f"aggregateWindow(every: v.windowPeriod, fn: {fold})",
        f"keep(columns: {array(['_time', '_value', '_field', *by])})",
        columns=("_time", "_value", *by),
    )


def highest_of_all(source: Flux) -> Flux:
    """A curve for each field, the highest of all series; exact quantiles show gaps, where Flux's own max drops them."""
    return with_gaps(
        source.pipe(folded(Fold.HIGHEST)),
        '(column, tables=<-) => tables |> quantile(column: column, q: 1.0, method: "exact_mean")',
        (),
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
    return f"float(v: int(v: {STOP}) - int(v: r.{column})) / {NS_PER_S}"


def array(names: Sequence[str]) -> str:
    """A Flux array of texts."""
    return f"[{', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}]"
