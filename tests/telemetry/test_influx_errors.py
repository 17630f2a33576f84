"""Every status becomes the error that tells the sender what to do with the batch."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.store import (
    BatchMalformed,
    BatchPartlyWritten,
    BatchTooLarge,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from tests.faults import Answer, FaultProxy
from tests.influxd import Influx, write_lines

POINT = Point("decision", {"domain": "vm"}, {"interval_ms": 25.0}, 1_700_000_000 * 10**9)


@pytest.fixture
def store(influx: Influx, fault_proxy: FaultProxy) -> Iterator[InfluxStore]:
    with closing(InfluxStore(influx.settings(url=fault_proxy.url))) as store:
        yield store


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, StoreRefused),
        (400, BatchMalformed),
        (401, StoreRefused),
        (403, StoreRefused),
        (404, StoreRefused),
        (405, StoreRefused),
        (413, BatchTooLarge),
        (422, BatchPartlyWritten),
        (429, StoreUnavailable),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
    ],
)
def test_writing(store: InfluxStore, fault_proxy: FaultProxy, status: int, kind: type[StoreError]) -> None:
    fault_proxy.order(Answer(status))
    with pytest.raises(kind, match=f"^{fault_proxy.url}: {status}: ordered by the test") as caught:
        store.append([POINT])
    assert type(caught.value) is kind
    store.append([POINT])
    assert store.latest("decision", since_ns=POINT.time_ns) == [POINT]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, StoreRefused), (401, StoreRefused), (404, StoreRefused), (429, StoreUnavailable), (503, StoreUnavailable)],
)
def test_reading(store: InfluxStore, fault_proxy: FaultProxy, status: int, kind: type[StoreError]) -> None:
    fault_proxy.order(Answer(status))
    with pytest.raises(kind, match=f"^{fault_proxy.url}: {status}: ordered by the test") as caught:
        store.latest("decision", since_ns=0)
    assert type(caught.value) is kind


@pytest.mark.parametrize("ca_file", [None, Path("missing.pem")])
def test_a_connection_that_is_not_secure_is_refused(influx: Influx, ca_file: Path | None) -> None:
    settings = influx.settings(url=influx.url.replace("http:", "https:")).model_copy(update={"ca_file": ca_file})
    refused = pytest.raises(StoreRefused, match=r"^https://.*: no secure connection: .*; correct url or ca_file")
    with closing(InfluxStore(settings)) as store, refused:
        store.append([POINT])


def in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least_s", "most_s"),
    [("7", 7, 7), ("0", 0, 0), (in_an_hour(), 1800, 3600), ("Mon, 01 Jan 2024 00:00:00 GMT", 0, 0)],
    ids=["seconds", "none", "date", "past date"],
)
def test_a_busy_server_says_when_to_come_back(
    store: InfluxStore, fault_proxy: FaultProxy, header: str, least_s: float, most_s: float
) -> None:
    fault_proxy.order(Answer(429, retry_after=header))
    with pytest.raises(StoreUnavailable) as caught:
        store.append([POINT])
    assert caught.value.retry_after_s is not None
    assert least_s <= caught.value.retry_after_s <= most_s


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "²"])
def test_a_busy_server_may_not_say_it(store: InfluxStore, fault_proxy: FaultProxy, header: str | None) -> None:
    fault_proxy.order(Answer(503, retry_after=header))
    with pytest.raises(StoreUnavailable) as caught:
        store.append([POINT])
    assert caught.value.retry_after_s is None


def test_the_server_takes_the_good_points_and_refuses_the_others(influx: Influx, store: InfluxStore) -> None:
    write_lines(influx, influx.buckets.decisions, [f'decision,domain=vm interval_ms="text" {POINT.time_ns}'])
    good = Point("decision", {"domain": "vm"}, {"sequence": 7}, POINT.time_ns + 1)
    with pytest.raises(BatchPartlyWritten, match=r"422: .*field type conflict"):
        store.append([POINT, good])
    assert store.latest("decision", since_ns=POINT.time_ns + 1) == [good]


@pytest.mark.parametrize(
    "call", [lambda store: store.append([POINT]), lambda store: store.latest("decision", since_ns=0)]
)
def test_a_web_server_that_is_no_influxdb_is_found_out(
    store: InfluxStore, fault_proxy: FaultProxy, call: Callable[[InfluxStore], object]
) -> None:
    fault_proxy.order(Answer(200))
    with pytest.raises(StoreError, match=rf"^{fault_proxy.url}: .*no answer of InfluxDB 2\.x.*; correct the url"):
        call(store)
