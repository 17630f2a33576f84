"""A server with the recorded run, for all tests of the dashboards in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards import recording
from tests.influxd import Influx, create_buckets, running_influxd


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """It has the buckets' own names, as the dashboards' queries do."""
    folder: Path = tmp_path_factory.mktemp("recorded")
    with running_influxd(folder) as server:
        influx = create_buckets(server, "", folder)
        recording.replay(influx)
        yield influx
