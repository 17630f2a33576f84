"""Which store: in, the `[store]` section; out, the store that it describes."""

from telemetry.influx import InfluxStore
from telemetry.settings import InfluxSettings, SqliteSettings, StoreSettings
from telemetry.sqlite import SqliteStore
from telemetry.store import Store


def open_store(settings: StoreSettings) -> Store:
    """Open the store; raises `StoreError` where its file, or the token's, cannot be used. Servers are not asked yet."""
    match settings:
        case SqliteSettings():
            return SqliteStore(settings)
        case InfluxSettings():
            return InfluxStore(settings)
