"""Fixtures that several packages' tests share: a real InfluxDB, and a misbehaving proxy before it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.faults import FaultProxy, running_proxy
from tests.influxd import Influx, Server, create_buckets, running_influxd

settings.register_profile("hefery", deadline=None)  # a busy machine is no failure
settings.load_profile("hefery")

# a shell's background job ignores these, and so would all that tests start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The one InfluxDB server of this test process."""
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@pytest.fixture
def influx(influxd: Server, tmp_path: Path) -> Influx:
    """Empty buckets of this test's own on the server."""
    return create_buckets(influxd, tmp_path.name, tmp_path)


@pytest.fixture
def fault_proxy(influxd: Server) -> Iterator[FaultProxy]:
    """A proxy before the server that misbehaves to order."""
    with running_proxy(influxd.url) as proxy:
        yield proxy
