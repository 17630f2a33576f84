"""A store on an InfluxDB 2.x server: in, points; out, windows, newest points and events, over its HTTP interface."""

import calendar
import csv
import io
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from operator import attrgetter
from pathlib import Path
from typing import TextIO

from influxdb_client import Dialect, InfluxDBClient, WritePrecision, WriteService

from telemetry import flux
from telemetry.influx_errors import translated
from telemetry.lines import decode_text, to_line
from telemetry.point import Point, Value
from telemetry.schema import SCHEMA, Kind
from telemetry.settings import InfluxSettings
from telemetry.store import Grid, Health, StoreError, StoreRefused, Window, check_names
from telemetry.units import NS_PER_S

_MS_PER_S = 1_000
_PLAIN_CSV = Dialect(header=True, annotations=[])
_READ: Mapping[Kind, Callable[[str], Value]] = {"float": float, "int": int, "str": decode_text, "bool": "true".__eq__}


class InfluxStore:
    """A `Store` on a server; a request is sent once, and fails when the server stalls for `timeout_s`."""

    def __init__(self, settings: InfluxSettings) -> None:
        """Read the token; the server is not asked yet."""
        self._settings = settings
        self._client = InfluxDBClient(
            url=settings.url,
            org=settings.org,
            token=_read_token(settings.token_file),
            timeout=round(settings.timeout_s * _MS_PER_S),
            enable_gzip=True,
            ssl_ca_cert=settings.ca_file and str(settings.ca_file),
        )
        self._writer = WriteService(self._client.api_client)
        self._reader = self._client.query_api()

    def append(self, points: Sequence[Point]) -> None:
        """Write the points, one request for each bucket; after a failure the buckets before it are written."""
        by_bucket: dict[str, list[str]] = {}
        for point in points:
            by_bucket.setdefault(self._bucket(point.measurement), []).append(to_line(point))
        for bucket, lines in by_bucket.items():
            self._write(bucket, "\n".join(lines))

    def window(
        self,
        measurement: str,
        fields: Sequence[str],
        grid: Grid,
        *,
        by: Sequence[str],
        where: Mapping[str, str] | None = None,
    ) -> Window:
        """Means on a grid: see `Store`."""
        check_names(measurement, tags=[*by, *(where or {})], fields=fields)
        from telemetry.influx_window import to_window  # noqa: PLC0415 - numpy, which agents do without

        if not (grid.count and fields):
            return to_window([], tuple(fields), grid)
        query = flux.window(self._bucket(measurement), measurement, grid, fields=fields, by=by, where=where or {})
        with translated(self._settings, writing=False):
            return to_window(list(self._rows(query)), tuple(fields), grid)

    def latest(self, measurement: str, *, since_ns: int, where: Mapping[str, str] | None = None) -> list[Point]:
        """The newest point of each tag set: see `Store`."""
        check_names(measurement, tags=where or {})
        points = self._points(
            measurement, flux.latest(self._bucket(measurement), measurement, since_ns, where=where or {})
        )
        # a field that the newest point lacks comes with an older time, as a point of its own: the last point counts
        return sorted({point.key: point for point in points}.values(), key=attrgetter("key"))

    def events(
        self, measurement: str, start_ns: int, stop_ns: int, *, where: Mapping[str, str] | None = None
    ) -> list[Point]:
        """All points of a time, whole: see `Store`."""
        check_names(measurement, tags=where or {})
        if start_ns >= stop_ns:
            return []
        bucket = self._bucket(measurement)
        return self._points(measurement, flux.events(bucket, measurement, start_ns, stop_ns, where=where or {}))

    def health(self) -> Health:
        """Whether the server answers and knows the token and the organisation."""
        try:
            with translated(self._settings, writing=False):
                list(self._rows(flux.PROBE))
                return Health(ok=True, message=f"{self._settings.url}: InfluxDB {self._client.version()}")
        except StoreError as error:
            return Health(ok=False, message=str(error))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _bucket(self, measurement: str) -> str:
        name: str = getattr(self._settings.buckets, SCHEMA[measurement].bucket)
        return name

    def _write(self, bucket: str, lines: str) -> None:
        with translated(self._settings, writing=True):
            _, status, _ = self._writer.post_write_with_http_info(
                self._settings.org,
                bucket,
                lines,
                precision=WritePrecision.NS,
                content_type="text/plain; charset=utf-8",
                _return_http_data_only=False,
            )
        if status != HTTPStatus.NO_CONTENT:  # a web server that says yes to everything would lose the points
            raise StoreRefused(f"{self._settings.url}: {status}: no answer of InfluxDB 2.x to a write; correct the url")

    def _points(self, measurement: str, query: flux.Query) -> list[Point]:
        with translated(self._settings, writing=False):
            return _to_points(measurement, list(self._rows(query)))

    def _rows(self, query: flux.Query) -> Iterator[list[str]]:
        """The rows of the answer, their columns in the order of the query's."""
        response = self._reader.query_raw(query.text, dialect=_PLAIN_CSV, params=dict(query.parameters))
        response.auto_close = False  # the reader of text looks once more after the end
        try:
            yield from _read_tables(io.TextIOWrapper(response, encoding="utf-8", newline=""), query.columns)
        finally:
            response.close()


def _read_tables(text: TextIO, columns: Sequence[str]) -> Iterator[list[str]]:
    """Rows of tables in CSV: each table has a header, and a blank line ends it; an error may come as the last table.

    Tables that lack a column hold points that are not by the schema, and are passed over.
    """
    header: list[str] = []
    order: list[int] = []
    for row in csv.reader(text):
        if not row:
            header = []
        elif "error" in header:
            raise StoreError(f"InfluxDB broke its answer off: {row[header.index('error')]}")
        elif not header:
            header = row
            if not {"error", "table"} & set(header):
                raise ValueError(f"no table begins with {','.join(header)[:80]}")
            order = [header.index(name) for name in columns] if set(columns) <= set(header) else []
        elif order:
            yield [row[i] for i in order]


def _to_points(measurement: str, rows: Sequence[Sequence[str]]) -> list[Point]:
    """The points whose values are `rows` of tags, field, time and value; oldest first."""
    known = SCHEMA[measurement]
    merged: dict[tuple[int, tuple[str, ...]], dict[str, Value]] = {}
    for *tags, name, when, text in rows:
        if field := known.fields.get(name):
            merged.setdefault((_time_ns(when), tuple(tags)), {})[name] = _READ[field.kind](text)
    points = [
        Point(measurement, dict(zip(known.tags, tags, strict=True)), fields, time_ns)
        for (time_ns, tags), fields in merged.items()
    ]
    return sorted(points, key=attrgetter("time_ns", "key"))


def _time_ns(text: str) -> int:
    """Nanoseconds since 1970 of a time such as 2026-05-01T12:00:00.5Z."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * NS_PER_S + int(fraction.ljust(9, "0"))


def _read_token(path: Path) -> str:
    """The token in `path`, which no one else may read."""
    try:
        mode, token = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreRefused(f"{path}: the token cannot be read ({error}); write it there, with mode 0600") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreRefused(f"{path}: others may read or change the token; protect it with chmod 600")
    if not token.isprintable() or not token:
        raise StoreRefused(f"{path}: holds no token; write one there, on one line")
    return token
