"""The spool's file: in, work to do in a transaction; out, its result, in a new file if the old one was damaged."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from telemetry.database import Database
from telemetry.store import StoreError, StoreRefused

_APPLICATION_ID = 0x48665370
_LAYOUT = 1
# AUTOINCREMENT: a number is never given twice, or a late acknowledgement would delete another point.
# The triggers keep both sums exact in every transaction, without counting a million rows.
_TABLES = """
CREATE TABLE IF NOT EXISTS point (
  number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, added_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine (
  number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, reason TEXT NOT NULL, refused_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO ledger VALUES ('points', 0), ('bytes', 0);
CREATE TRIGGER IF NOT EXISTS point_added AFTER INSERT ON point BEGIN
  UPDATE ledger SET value = value + 1 WHERE name = 'points';
  UPDATE ledger SET value = value + length(new.body) WHERE name = 'bytes'; END;
CREATE TRIGGER IF NOT EXISTS point_deleted AFTER DELETE ON point BEGIN
  UPDATE ledger SET value = value - 1 WHERE name = 'points';
  UPDATE ledger SET value = value - length(old.body) WHERE name = 'bytes'; END;
"""
_COMPANIONS = ("", "-wal", "-shm")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

Result = TypeVar("Result")
Kind = Literal["DEFERRED", "IMMEDIATE"]


class SpoolFile:
    """Runs work on the file, from any thread; a damaged file is moved aside, whole, and a new one takes its place.

    `tell` hears of it in one sentence. What other than damage goes wrong is raised as StoreError.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell
        self._turn = threading.Lock()
        try:
            self._database = open_database(path)
        except StoreError as error:
            self._database = self._begun_anew(error)
        self.run("DEFERRED", _check)

    def run(self, kind: Kind, work: Callable[[sqlite3.Connection], Result], *, durable: bool = True) -> Result:
        """The result of `work` in one transaction; it is done once more where the file turns out to be damaged."""
        database = self._database
        try:
            return _run(database, kind, work, durable=durable)
        except StoreError as error:
            if not _is_damage(error):
                raise
            with self._turn:
                if self._database is database:  # else another thread has been here
                    database.close()
                    self._database = self._begun_anew(error)
        return _run(self._database, kind, work, durable=durable)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _begun_anew(self, error: StoreError) -> Database:
        """A new file, after the damaged one was moved aside; raises `error` if it does not tell of damage."""
        if not _is_damage(error):
            raise error
        aside = f"{self._path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        for companion in _COMPANIONS:
            part = Path(f"{self._path}{companion}")
            if part.exists():
                part.rename(f"{aside}{companion}")
        database = open_database(self._path)
        self._tell(
            f"{self._path} was damaged ({error.__cause__}): it is now {aside}, and a new one was begun; "
            f"save its points with: sqlite3 {aside} .recover"
        )
        return database


def open_database(path: Path) -> Database:
    """The spool at `path`, made private and empty where there is none; raises StoreError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreRefused(f"{path}: cannot be written: {error.strerror}; name another [spool] path") from error
    return Database(path, tables=_TABLES, application_id=_APPLICATION_ID, layout=_LAYOUT)


def set_aside(path: Path) -> Iterator[Path]:
    """Damaged files that were moved out of the way of the spool at `path`."""
    return path.parent.glob(f"{path.name}.damaged-*Z")


def _run(database: Database, kind: Kind, work: Callable[[sqlite3.Connection], Result], *, durable: bool) -> Result:
    with database.transaction(kind, durable=durable) as connection:
        return work(connection)


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(" ".join(verdict.split()))
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _is_damage(error: StoreError) -> bool:
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED
