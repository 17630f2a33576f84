"""An embedded store for one machine: in, points; out, windows, newest points and events, from one SQLite file.

Points that are appended together are stored together, as columns: a window over 10,000 domains is read several times as
fast as from a row for each point.
"""

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Literal

import numpy as np

from telemetry import columns
from telemetry.columns import Batch
from telemetry.database import Database
from telemetry.point import END_OF_TIME_NS, Point
from telemetry.schema import SCHEMA
from telemetry.settings import SqliteSettings
from telemetry.store import Grid, Health, StoreError, Window, check_names
from telemetry.units import NS_PER_S

_APPLICATION_ID = 0x48666679
_LAYOUT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS series (
  number INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE (measurement, tags));
CREATE TABLE IF NOT EXISTS batch (
  number INTEGER PRIMARY KEY AUTOINCREMENT, measurement TEXT NOT NULL,
  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  series BLOB NOT NULL, times BLOB NOT NULL, float_names TEXT NOT NULL, floats BLOB NOT NULL, others TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS batch_by_time ON batch (measurement, last_ns, first_ns);
"""
_INSERT = """
INSERT INTO batch (measurement, first_ns, last_ns, series, times, float_names, floats, others)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT = """
SELECT series, times, float_names, floats, others, number FROM batch
WHERE measurement = ? AND last_ns >= ? AND first_ns < ?
"""
_BATCHES_AT_ONCE = 4_096
_NS_PER_DAY = 86_400 * NS_PER_S
_NS_BETWEEN_PURGES = 3_600 * NS_PER_S

Tags = tuple[tuple[str, str], ...]


class SqliteStore:
    """A `Store` in one file that the processes of a machine share; every append is synced to disk."""

    def __init__(self, settings: SqliteSettings) -> None:
        """Open the file, creating it where there is none."""
        self._retention_days = settings.retention_days.model_dump()
        self._database = Database(settings.path, tables=_TABLES, application_id=_APPLICATION_ID, layout=_LAYOUT)
        self._series: defaultdict[str, dict[Tags, int]] = defaultdict(dict)
        self._last_series = 0
        self._learned_from: sqlite3.Connection | None = None
        self._purged_ns = 0

    def append(self, points: Sequence[Point]) -> None:
        """Write the points in one transaction; it may delete what is older than the retention."""
        if not points:
            return
        with self._transaction("IMMEDIATE") as database:
            for measurement in dict.fromkeys(point.measurement for point in points):
                self._insert(database, [point for point in points if point.measurement == measurement])
            self._purge(database, max(point.time_ns for point in points))

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
        with self._transaction() as database:
            series = self._matching(measurement, where)
            chunks = _select(database, measurement, grid.start_ns, grid.stop_ns)
            samples = columns.join([columns.samples(chunk, fields) for chunk in chunks], len(fields))
        keys = {number: tuple(tags[name] for name in by) for number, tags in series.items()}
        rows = {key: row for row, key in enumerate(sorted(set(keys.values())))}
        row_of_series = np.full(max(*keys, samples.series.max(initial=0), 0) + 1, -1)
        row_of_series[list(keys)] = [rows[key] for key in keys.values()]
        values = columns.means(samples, row_of_series, grid)
        seen = np.flatnonzero((~np.isnan(values)).any(axis=(0, 2)))
        names = list(rows)
        return Window(grid, tuple(names[row] for row in seen), tuple(fields), values[:, seen])

    def latest(self, measurement: str, *, since_ns: int, where: Mapping[str, str] | None = None) -> list[Point]:
        """The newest point of each tag set: see `Store`."""
        return sorted(self._points(measurement, since_ns, END_OF_TIME_NS, where, newest=True), key=attrgetter("key"))

    def events(
        self, measurement: str, start_ns: int, stop_ns: int, *, where: Mapping[str, str] | None = None
    ) -> list[Point]:
        """All points of a time, whole: see `Store`."""
        stop_ns = min(stop_ns, END_OF_TIME_NS)
        return sorted(self._points(measurement, start_ns, stop_ns, where), key=attrgetter("time_ns", "key"))

    def health(self) -> Health:
        """Whether the file can be read."""
        try:
            with self._transaction() as database:
                (batches,) = database.execute("SELECT count(*) FROM batch").fetchone()
        except StoreError as error:
            return Health(ok=False, message=str(error))
        return Health(ok=True, message=f"{self._last_series} series, {batches} batches")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _transaction(self, kind: Literal["DEFERRED", "IMMEDIATE"] = "DEFERRED") -> Iterator[sqlite3.Connection]:
        """A transaction that knows all series, also those that other processes have made."""
        with self._database.transaction(kind) as database:
            if database is not self._learned_from:  # another file has other numbers
                self._learned_from = database
                self._series.clear()
                self._last_series = 0
            try:
                self._learn_series(database)
                yield database
            except BaseException:  # numbers given in a transaction that fails are void
                self._series.clear()
                self._last_series = 0
                raise

    def _learn_series(self, database: sqlite3.Connection) -> None:
        """Take in new series; those that this version's schema does not know are passed over."""
        query = "SELECT number, measurement, tags FROM series WHERE number > ? ORDER BY number"
        for number, measurement, tags in database.execute(query, [self._last_series]):
            key = tuple(map(tuple, json.loads(tags)))
            if measurement in SCHEMA and set(SCHEMA[measurement].tags) == {name for name, _ in key}:
                self._series[measurement][key] = number
            self._last_series = number

    def _insert(self, database: sqlite3.Connection, points: Sequence[Point]) -> None:
        measurement = points[0].measurement
        new = {point.key for point in points} - self._series[measurement].keys()
        rows = [(measurement, json.dumps(key)) for key in sorted(new)]
        database.executemany("INSERT INTO series (measurement, tags) VALUES (?, ?)", rows)
        self._learn_series(database)
        times = [point.time_ns for point in points]
        numbers = self._series[measurement]
        batch = columns.encode(points, [numbers[point.key] for point in points])
        stored = (batch.series, batch.times, batch.float_names, batch.floats, batch.others)
        database.execute(_INSERT, (measurement, min(times), max(times), *stored))

    def _purge(self, database: sqlite3.Connection, newest_ns: int) -> None:
        """Now and then delete what is too old, by the points' time; a point from the future deletes nothing early."""
        now_ns = min(newest_ns, time.time_ns())
        if now_ns < self._purged_ns + _NS_BETWEEN_PURGES:
            return
        for name, measurement in SCHEMA.items():
            if days := self._retention_days.get(measurement.bucket):
                oldest_ns = now_ns - days * _NS_PER_DAY
                database.execute("DELETE FROM batch WHERE measurement = ? AND last_ns < ?", (name, oldest_ns))
        self._purged_ns = now_ns

    def _matching(self, measurement: str, where: Mapping[str, str] | None) -> dict[int, dict[str, str]]:
        asked = (where or {}).items()
        return {number: dict(tags) for tags, number in self._series[measurement].items() if asked <= dict(tags).items()}

    def _points(
        self,
        measurement: str,
        start_ns: int,
        stop_ns: int,
        where: Mapping[str, str] | None,
        *,
        newest: bool = False,
    ) -> list[Point]:
        check_names(measurement, tags=where or {})
        with self._transaction() as database:
            series = self._matching(measurement, where)
            batches = [batch for chunk in _select(database, measurement, start_ns, stop_ns) for batch in chunk]
            return columns.points(measurement, batches, series, start_ns, stop_ns, newest=newest)


def _select(database: sqlite3.Connection, measurement: str, start_ns: int, stop_ns: int) -> Iterator[list[Batch]]:
    cursor = database.execute(_SELECT, (measurement, start_ns, stop_ns))
    while chunk := cursor.fetchmany(_BATCHES_AT_ONCE):
        yield [Batch(*row) for row in chunk]
