"""One SQLite file used by threads and processes at once: in, statements; out, rows, and failures as `StoreError`."""

import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from telemetry.store import StoreError, StoreRefused, StoreUnavailable

_log = logging.getLogger(__name__)

_LATER = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_RETRY_S = 0.01


class Database:
    """A file in WAL mode, synced at every commit: what is committed outlives a power failure; readers never wait."""

    def __init__(
        self, path: Path, *, tables: str, application_id: int, layout: int, busy_limit_s: float = 10.0
    ) -> None:
        """Open the file, creating it with `tables` (IF NOT EXISTS) where there is none."""
        self._path = path
        self._tables = tables
        self._application_id = application_id
        self._layout = layout
        self._busy_limit_s = busy_limit_s
        self._lock = threading.Lock()
        self._connection, self._file = self._opened()

    def _opened(self) -> tuple[sqlite3.Connection, os.stat_result]:
        """A connection, and which file it is to."""
        with self._errors():
            # one connection for all threads: the lock has them take turns
            connection = sqlite3.connect(
                self._path, timeout=self._busy_limit_s, isolation_level=None, check_same_thread=False
            )
        try:
            with self._errors():
                self._refuse_others(connection)
                self._switch_to_wal(connection, time.monotonic() + self._busy_limit_s)
                marks = f"PRAGMA application_id = {self._application_id}; PRAGMA user_version = {self._layout};"
                connection.executescript(f"BEGIN IMMEDIATE; {self._tables} {marks} COMMIT;")
                return connection, self._path.stat()
        except StoreError:
            connection.close()
            raise

    def _reopen_if_gone(self) -> None:
        """Begin anew where the file was moved away or deleted: what is written to it then, nobody would find again."""
        with suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), self._file):
                return
        with suppress(OSError):  # opening says what is wrong
            self._path.touch(mode=stat.S_IMODE(self._file.st_mode))
        gone = self._connection
        self._connection, self._file = self._opened()
        gone.close()
        _log.error("%s was moved away or deleted while in use; a new one was begun", self._path)

    def _refuse_others(self, connection: sqlite3.Connection) -> None:
        found, version, tables = connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if tables and found != self._application_id:
            raise StoreRefused(f"{self._path}: is another program's database; name another file")
        if tables and version != self._layout:
            raise StoreRefused(
                f"{self._path}: has layout {version}, this version reads {self._layout}; name another file, or update"
            )

    @staticmethod
    def _switch_to_wal(connection: sqlite3.Connection, deadline_s: float) -> None:
        """Switch; where several open a new file at once SQLite refuses without waiting, so wait here."""
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(_RETRY_S)
            else:
                return

    @contextmanager
    def transaction(
        self, kind: Literal["DEFERRED", "IMMEDIATE"] = "DEFERRED", *, durable: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """One consistent view to read, or (IMMEDIATE) one commit to write: all of it or nothing.

        A power cut may undo, wholly, a commit that is not `durable`: it saves the wait for the disk.
        """
        with self._lock, self._errors():
            self._reopen_if_gone()
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.execute(f"BEGIN {kind}")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; waits for a transaction under way."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors, and ValueError from reading what was stored, into a `StoreError` with the remedy."""
        try:
            yield
        except (sqlite3.Error, ValueError, OSError) as error:
            raise _store_error(self._path, error) from error


def _store_error(path: Path, error: sqlite3.Error | ValueError | OSError) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, of which extended ones are kinds
    if code in _LATER:
        return StoreUnavailable(f"{path}: {error}; is the disk full, or another process holding the file?")
    if code in _FORBIDDEN:
        return StoreRefused(f"{path}: {error}; does the folder exist, and may this user write in it?")
    if code in _DAMAGED or isinstance(error, ValueError):
        return StoreError(
            f"{path}: damaged ({error}); restore a backup, or move it away with its -wal and -shm files to start anew"
        )
    return StoreError(f"{path}: {error}")
