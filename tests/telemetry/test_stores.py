"""The settings say which store it is."""

from contextlib import closing
from pathlib import Path

from telemetry.influx import InfluxStore
from telemetry.settings import SqliteSettings
from telemetry.sqlite import SqliteStore
from telemetry.stores import open_store
from tests.influxd import Influx


def test_opens_a_file(tmp_path: Path) -> None:
    with closing(open_store(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))) as store:
        assert isinstance(store, SqliteStore)


def test_opens_a_server(influx: Influx) -> None:
    with closing(open_store(influx.settings())) as store:
        assert isinstance(store, InfluxStore)
