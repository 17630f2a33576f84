"""What the embedded store does beyond the contract: retention, several processes, damage."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.point import END_OF_TIME_NS, Point
from telemetry.schema import NOBODY
from telemetry.settings import RetentionDays, SqliteSettings
from telemetry.sqlite import SqliteStore
from telemetry.store import Grid, StoreError

S = 10**9
DAY = 86_400 * S
T = 1_700_000_000 * S


@pytest.fixture
def settings(tmp_path: Path) -> SqliteSettings:
    retention = RetentionDays(telemetry=10, decisions=20, responses=30)
    return SqliteSettings(kind="sqlite", path=tmp_path / "store.db", retention_days=retention)


@pytest.fixture
def store(settings: SqliteSettings) -> Iterator[SqliteStore]:
    with closing(SqliteStore(settings)) as store:
        yield store


def domain(time_ns: int, name: str = "vm") -> Point:
    return Point("domain", {"host": "a", "domain": name}, {"cpu_ratio": 0.5}, time_ns)


def decision(time_ns: int) -> Point:
    return Point("decision", {"domain": "vm"}, {"interval_ms": 25.0}, time_ns)


def incident(time_ns: int) -> Point:
    return Point("incident", {"domain": NOBODY, "id": "1"}, {"level": "failed"}, time_ns)


def times(store: SqliteStore, measurement: str) -> list[int]:
    return [point.time_ns for point in store.events(measurement, 0, END_OF_TIME_NS)]


# ---- retention ------------------------------------------------------------------------------------------------------


def test_keeps_each_bucket_for_its_own_time_and_events_for_ever(store: SqliteStore) -> None:
    for days in (0, 9, 15, 25):
        store.append([domain(T + days * DAY), decision(T + days * DAY), incident(T + days * DAY)])
    assert times(store, "domain") == [T + 15 * DAY, T + 25 * DAY]
    assert times(store, "decision") == [T + days * DAY for days in (9, 15, 25)]
    assert times(store, "incident") == [T + days * DAY for days in (0, 9, 15, 25)]


def test_deletes_no_batch_that_has_a_point_to_keep(store: SqliteStore) -> None:
    store.append([domain(T), domain(T + 9 * DAY)])
    store.append([domain(T + 15 * DAY)])
    assert times(store, "domain") == [T, T + 9 * DAY, T + 15 * DAY]


def test_a_point_from_the_future_deletes_nothing_early(store: SqliteStore) -> None:
    now_ns = time.time_ns()
    store.append([domain(now_ns - DAY)])
    store.append([domain(now_ns + 1000 * DAY)])
    assert times(store, "domain") == [now_ns - DAY, now_ns + 1000 * DAY]


def test_looks_for_old_points_again_after_an_hour_of_theirs(store: SqliteStore) -> None:
    hour = 3_600 * S
    store.append([domain(T)])
    store.append([domain(T + 10 * DAY - hour // 2)])
    store.append([domain(T + 10 * DAY + hour // 4)])
    assert T in times(store, "domain")
    store.append([domain(T + 10 * DAY + hour // 2)])
    assert T not in times(store, "domain")


# ---- processes, failures --------------------------------------------------------------------------------------------


def test_two_processes_number_the_same_series_alike(settings: SqliteSettings, store: SqliteStore) -> None:
    with closing(SqliteStore(settings)) as other:
        store.append([domain(T, "a")])
        other.append([domain(T, "b"), domain(T + S, "a")])
        store.append([domain(T + S, "b"), domain(T + S, "c")])
        for one in (store, other):
            window = one.window("domain", ["cpu_ratio"], Grid(T, S, 2), by=["domain"])
            assert window.rows == (("a",), ("b",), ("c",))
            assert len(one.latest("domain", since_ns=T)) == 3


def test_numbers_series_anew_in_a_new_file(settings: SqliteSettings, store: SqliteStore) -> None:
    store.append([domain(T, "old")])
    settings.path.unlink()
    store.append([domain(T, "new")])
    assert store.latest("domain", since_ns=0) == [domain(T, "new")]


def test_an_append_that_fails_leaves_no_trace(settings: SqliteSettings, store: SqliteStore) -> None:
    with closing(sqlite3.connect(settings.path)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(StoreError, match="no room"):
            store.append([domain(T, "lost")])
        connection.execute("DROP TRIGGER full")
    store.append([domain(T, "kept")])
    assert store.events("domain", T, T + 1) == [domain(T, "kept")]


@pytest.mark.parametrize(
    "damage", ["floats = x'00'", "times = x'00'", "series = x''", "others = '{'", "float_names = '[]'"]
)
def test_says_that_a_batch_is_damaged(settings: SqliteSettings, store: SqliteStore, damage: str) -> None:
    store.append([domain(T)])
    with closing(sqlite3.connect(settings.path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE batch SET {damage}")
    with pytest.raises(StoreError, match=r"store\.db: damaged"):
        store.events("domain", T, T + 1)


def test_is_ill_when_the_file_is(settings: SqliteSettings, store: SqliteStore) -> None:
    assert store.health().message == "0 series, 0 batches"
    store.close()
    health = store.health()
    assert not health.ok
    assert "closed database" in health.message


def test_passes_over_what_a_newer_version_wrote(settings: SqliteSettings, store: SqliteStore) -> None:
    store.append([domain(T, "a"), Point("domain", domain(T).tags, {"cpu_ratio": 0.1, "state": "r"}, T)])
    store.append([domain(T + 1)])
    with closing(sqlite3.connect(settings.path, isolation_level=None)) as connection:
        connection.execute("UPDATE batch SET float_names = '[\"later\"]' WHERE number = 1")
        tags = '[["rack", "r"], ["domain", "vm"]]'
        connection.execute("INSERT INTO series (measurement, tags) VALUES ('later', ?), ('domain', ?)", (tags, tags))
        connection.execute("UPDATE batch SET series = x'04000000' WHERE number = 2")
    with closing(SqliteStore(settings)) as reader:
        assert [point.fields for point in reader.events("domain", T, T + 2)] == [{"state": "r"}]
        assert reader.window("domain", ["cpu_ratio"], Grid(T, S, 1), by=["domain"]).rows == ()
