"""A database file that cannot be used is named, with the remedy; what is committed stays."""

import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.database import Database
from telemetry.store import StoreError, StoreRefused, StoreUnavailable

TABLES = "CREATE TABLE IF NOT EXISTS numbers (n INTEGER NOT NULL);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(open_database(path)) as database:
        yield database


def open_database(path: Path, *, application_id: int = 7, layout: int = 1) -> Database:
    return Database(path, tables=TABLES, application_id=application_id, layout=layout, busy_limit_s=0.2)


def add(database: Database, *numbers: int) -> None:
    with database.transaction("IMMEDIATE") as connection:
        connection.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in numbers])


def read(database: Database) -> list[int]:
    with database.transaction() as connection:
        return [n for (n,) in connection.execute("SELECT n FROM numbers")]


def test_others_see_what_is_committed(path: Path, database: Database) -> None:
    add(database, 1)
    with closing(open_database(path)) as other:
        add(other, 2)
        assert read(other) == read(database) == [1, 2]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(StoreError, match="Error binding parameter"):
        add(database, 1, object())  # type: ignore[arg-type] # the second statement is to fail
    assert read(database) == []


def test_every_commit_is_synced_that_is_to_be_durable(database: Database) -> None:
    with database.transaction("IMMEDIATE", durable=False) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)  # NORMAL
    with database.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_readers_do_not_wait_for_a_writer(path: Path, database: Database) -> None:
    with closing(open_database(path)) as reader, database.transaction("IMMEDIATE") as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        assert read(reader) == []


def test_a_writer_gives_up_on_another_that_does_not_end(path: Path, database: Database) -> None:
    locked = pytest.raises(StoreUnavailable, match="database is locked; is the disk full, or another process")
    with closing(open_database(path)) as other, other.transaction("IMMEDIATE"), locked:
        add(database, 1)
    add(database, 2)
    assert read(database) == [2]


def test_a_full_disk_is_for_later(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StoreUnavailable, match="is full"):
        add(database, *range(10_000))
    assert read(database) == []


@pytest.mark.parametrize("companions", [[""], ["", "-wal", "-shm"]])
def test_a_file_that_has_gone_is_begun_anew_with_its_mode(path: Path, companions: list[str]) -> None:
    path.touch(mode=0o600)
    with closing(open_database(path)) as database, closing(open_database(path)) as other:
        add(database, 1)
        for companion in companions:
            Path(f"{path}{companion}").rename(path.with_name(f"aside.db{companion}"))
        assert read(database) == []
        add(database, 2)
        assert read(other) == [2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_has_gone_is_told_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with closing(open_database(folder / "file.db")) as database:
        add(database, 1)
        folder.rename(tmp_path / "aside")
        for _ in range(2):
            with pytest.raises(StoreRefused, match="does the folder exist"):
                add(database, 2)
        (tmp_path / "aside").rename(folder)
        add(database, 3)
        assert read(database) == [1, 3]


def test_several_may_open_a_new_file_at_once(path: Path) -> None:
    together = threading.Barrier(8)

    def work(number: int) -> None:
        together.wait()
        with closing(Database(path, tables=TABLES, application_id=7, layout=1)) as database:
            add(database, number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    with closing(open_database(path)) as database:
        assert sorted(read(database)) == list(range(8))


def test_refuses_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at\n" * 100)
    with pytest.raises(
        StoreError, match=rf"^{re.escape(str(path))}: damaged \(.*\); restore a backup, or move it away"
    ):
        open_database(path)
    assert path.read_text().startswith("not a database")


def test_says_that_pages_are_damaged(path: Path) -> None:
    with closing(open_database(path)) as database:
        add(database, *range(10_000))
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 12288)
    path.write_bytes(content)
    with closing(open_database(path)) as database, pytest.raises(StoreError, match=r"damaged \(.*malformed"):
        read(database)


def test_refuses_another_programs_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreRefused, match="is another program's database; name another file"):
        open_database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_refuses_another_layout(path: Path) -> None:
    open_database(path).close()
    with pytest.raises(StoreRefused, match="has layout 1, this version reads 2; name another file, or update"):
        open_database(path, layout=2)


@pytest.mark.parametrize("name", ["missing/file.db", "."])
def test_refuses_a_place_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreRefused, match="unable to open database file; does the folder exist, and may this user"):
        open_database(tmp_path / name)


def test_a_closed_database_says_so(path: Path) -> None:
    database = open_database(path)
    database.close()
    with pytest.raises(StoreError, match="closed database"):
        read(database)
