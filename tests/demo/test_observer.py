import time
from pathlib import Path

from agent.order import Order, write
from demo.observer import Observer, newest
from demo.site import DOMAIN
from telemetry.point import Point
from telemetry.settings import SqliteSettings
from telemetry.sqlite import SqliteStore


def order(path: Path, interval_ms: int, for_s: float) -> None:
    write(path, Order(1, interval_ms, time.monotonic_ns() + round(for_s * 1e9)))


def test_the_interval_is_read_as_a_pacer_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "local" / "order"
    observer = Observer(path, protective_ms=25)
    assert observer.look() is None
    assert observer.interval_ms == 25  # no file
    order(path, 500, for_s=30)
    assert observer.look() == 25
    assert observer.interval_ms == 500
    assert observer.look() is None
    order(path, 500, for_s=-1)
    assert observer.look() == 500
    assert observer.interval_ms == 25  # past its deadline
    path.write_text("nonsense")
    assert observer.look() is None
    assert [sample.interval_ms for sample in observer.samples] == [25, 500, 500, 25, 25]


def test_how_long_the_interval_has_been_long(tmp_path: Path) -> None:
    path = tmp_path / "local" / "order"
    observer = Observer(path, protective_ms=25)
    assert observer.long_for_s() == 0
    for interval_ms in (500, 25, 500, 100):
        order(path, interval_ms, for_s=30)
        observer.look()
    first, last = observer.samples[-2:]
    assert observer.long_for_s() == (last.time_ns - first.time_ns) / 1e9


def test_newest_values_are_those_of_the_domain(tmp_path: Path) -> None:
    store = SqliteStore(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))
    try:
        assert newest(store, "domain") == {}
        now_ns = time.time_ns()
        for age_s, cpu, domain in ((1, 0.25, DOMAIN), (2, 0.5, DOMAIN), (1, 0.75, "other")):
            tags = {"host": "h", "domain": domain}
            store.append([Point("domain", tags, {"cpu_ratio": cpu, "state": "r"}, now_ns - age_s * 10**9)])
        assert newest(store, "domain") == {"cpu_ratio": 0.25}
    finally:
        store.close()


def test_old_values_are_not_news(tmp_path: Path) -> None:
    store = SqliteStore(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))
    try:
        tags = {"host": "h", "domain": DOMAIN}
        store.append([Point("domain", tags, {"cpu_ratio": 0.5}, time.time_ns() - 60 * 10**9)])
        assert newest(store, "domain") == {}
    finally:
        store.close()
