"""The store that the predictor's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.settings import SqliteSettings
from telemetry.sqlite import SqliteStore
from telemetry.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of this test's own."""
    opened = SqliteStore(SqliteSettings(kind="sqlite", path=tmp_path / "store.sqlite"))
    yield opened
    opened.close()
