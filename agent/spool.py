"""What was measured and not yet sent: in, points; out, the newest and the oldest of them, until they are deleted.

A point is on disk when `add` returns: the file is synced at every commit, so neither a killed process nor a power cut
costs any. Beyond its bounds the oldest points are dropped, and counted in the same transaction.
"""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from agent.rows import Row, encode
from agent.spool_file import SpoolFile
from agent.spool_state import DROPPED, SpoolState, state_of
from telemetry.point import Point
from telemetry.store import StoreError
from telemetry.units import NS_PER_S

_log = logging.getLogger(__name__)

MOST_QUARANTINED = 10_000
"""Points kept that the store refused; beyond it the oldest of them are dropped, and counted."""

_AT_ONCE = 1_000


class Spool:
    """Keeps points in order of arrival; any thread may use it. Bounds: `max_bytes` of JSON, `max_age_s` since `add`."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        max_age_s: float,
        tell: Callable[[str], None] = _log.error,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the file, or make it; `tell` hears of a damaged one. Raises StoreError."""
        self._file = SpoolFile(path, tell)
        self._max_bytes = max_bytes
        self._max_age_ns = int(max_age_s * NS_PER_S)
        self._wall_ns = wall_ns
        self._adding = threading.Lock()
        self._unwritten = 0

    def add(self, points: Sequence[Point]) -> None:
        """Take the points over. Those that cannot be written, as on a full disk, are counted instead of raised."""
        now_ns = self._wall_ns()
        rows = [(encode(point), now_ns) for point in points]

        def work(file: sqlite3.Connection) -> None:
            file.executemany("INSERT INTO point (body, added_ns) VALUES (?, ?)", rows)
            _count(file, DROPPED + "unwritten", self._unwritten)
            self._drop(file, now_ns)

        with self._adding:
            try:
                self._file.run("IMMEDIATE", work)
            except StoreError as error:
                if not self._unwritten:
                    _log.error("points are lost as the spool cannot be written: %s", error)
                self._unwritten += len(rows)
            else:
                self._unwritten = 0

    def newest(self, limit: int) -> list[Row]:
        """At most `limit` of the newest rows, oldest of them first."""
        return self._rows("SELECT number, body FROM point ORDER BY number DESC LIMIT ?", limit)[::-1]

    def oldest(self, limit: int) -> list[Row]:
        """At most `limit` of the oldest rows, oldest first."""
        return self._rows("SELECT number, body FROM point ORDER BY number LIMIT ?", limit)

    def sent(self, rows: Iterable[Row]) -> None:
        """Forget rows that the store has acknowledged."""
        gone, now_ns = list(rows), self._wall_ns()

        def work(file: sqlite3.Connection) -> None:
            _delete(file, gone)
            _count(file, "sent", len(gone))
            _set(file, "last_sent_ns", now_ns)

        # what a power cut brings back is sent again, which does no harm
        self._file.run("IMMEDIATE", work, durable=False)

    def quarantine(self, refused: Sequence[tuple[Row, str]]) -> None:
        """Put rows that the store refuses for good, each with the reason, where they no longer hold others up."""
        now_ns = self._wall_ns()

        def work(file: sqlite3.Connection) -> None:
            kept = [(row.body, reason, now_ns) for row, reason in refused]
            file.executemany("INSERT INTO quarantine (body, reason, refused_ns) VALUES (?, ?, ?)", kept)
            _delete(file, [row for row, _ in refused])
            _count(file, "quarantined", len(refused))
            gone = file.execute(
                "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?", [MOST_QUARANTINED]
            ).rowcount
            _count(file, DROPPED + "quarantine", gone)

        self._file.run("IMMEDIATE", work)

    def trouble(self, text: str) -> None:
        """Note what keeps points from being sent, for `hefery-agent status`; nothing for no trouble."""
        self._file.run("IMMEDIATE", lambda file: _set(file, "trouble", text))

    def failing(self, parts: Mapping[str, str]) -> None:
        """Note which parts of the agent fail, and what each says, for `hefery-agent status`."""
        self._file.run("IMMEDIATE", lambda file: _set(file, "failing", json.dumps(dict(parts))), durable=False)

    def state(self) -> SpoolState:
        """What is in it."""
        return self._file.run("DEFERRED", state_of)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rows(self, query: str, limit: int) -> list[Row]:
        return self._file.run("DEFERRED", lambda file: [Row(*row) for row in file.execute(query, [limit])])

    def _drop(self, file: sqlite3.Connection, now_ns: int) -> None:
        """Drop the oldest rows that are too old, then those that take too much room."""
        young = file.execute(
            "SELECT number FROM point WHERE added_ns >= ? ORDER BY number LIMIT 1", [now_ns - self._max_age_ns]
        ).fetchone()
        if young:
            gone = file.execute("DELETE FROM point WHERE number < ?", young).rowcount
            _count(file, DROPPED + "age", gone)
        while (surplus := _value(file, "bytes", 0) - self._max_bytes) > 0:
            _count(file, DROPPED + "bytes", _delete_oldest(file, surplus))


def _delete(file: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Delete the rows, and no others that got their numbers in a new file, begun after damage."""
    file.executemany("DELETE FROM point WHERE number = ? AND body = ?", [(row.number, row.body) for row in rows])


def _delete_oldest(file: sqlite3.Connection, size: int) -> int:
    """Delete the oldest rows until `size` bytes are free, or a good many; how many there were."""
    freed, last = 0, 0
    for number, length in file.execute("SELECT number, length(body) FROM point ORDER BY number LIMIT ?", [_AT_ONCE]):
        freed, last = freed + length, number
        if freed >= size:
            break
    return file.execute("DELETE FROM point WHERE number <= ?", [last]).rowcount


def _count(file: sqlite3.Connection, name: str, more: int) -> None:
    if more:
        add = "INSERT INTO ledger VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
        file.execute(add, [name, more])


def _set(file: sqlite3.Connection, name: str, value: int | str) -> None:
    file.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?)", [name, value])


def _value(file: sqlite3.Connection, name: str, otherwise: int) -> int:
    row = file.execute("SELECT value FROM ledger WHERE name = ?", [name]).fetchone()
    return int(row[0]) if row else otherwise
