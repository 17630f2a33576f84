"""Which store: in, the `[store]` section; out, the store that it describes."""

from telemetry.influx import InfluxStore
from telemetry.settings import InfluxSettings, SqliteSettings, StoreSettings
from telemetry.store import Store, StoreRefused


def open_store(settings: StoreSettings) -> Store:
    """Open the store; raises `StoreError` where its file, or the token's, cannot be used. Servers are not asked yet."""
    match settings:
        case SqliteSettings():
            return _open_sqlite(settings)
        case InfluxSettings():
            return InfluxStore(settings)


def _open_sqlite(settings: SqliteSettings) -> Store:
    try:
        from telemetry.sqlite import SqliteStore  # noqa: PLC0415 - numpy, which agents with a server do without
    except ModuleNotFoundError as error:
        raise StoreRefused(
            f"{settings.path}: a store of kind sqlite needs {error.name}; install hefery[predictor], as where forecasts"
            " are made"
        ) from error
    return SqliteStore(settings)
