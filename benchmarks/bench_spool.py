"""Points on their way to a store: in, points as an agent measures them; out, how many a second are safe, and stored."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

import influxdb_client
from influxdb_client import InfluxDBClient, WriteOptions
from influxdb_client.client.write_api import SYNCHRONOUS

from agent.events import Events
from agent.sender import Sender
from agent.settings import SenderSettings, SpoolSettings
from agent.spool import Spool
from benchmarks.rows import Row
from benchmarks.scratch import scratch_folder
from telemetry.point import Point
from telemetry.settings import InfluxSettings, SqliteSettings, StoreSettings
from telemetry.stores import open_store
from telemetry.units import NS_PER_S
from tests.influxd import create_buckets, running_influxd

Sample = Sequence[Point]
"""The points of all domains at one instant."""

_START_NS: Final = 1_700_000_000 * NS_PER_S
_DOMAINS: Final = 10
_COMMIT: Final = f"commit {_DOMAINS} points at a time"
_BATCH_POINTS: Final = SenderSettings().batch_points
_COMMIT_NOTE: Final = (
    "when the call returns, Hefery's 10 points are synced to disk, server or no server; those of influxdb-client's"
    " synchronous WriteApi are on the server, or the program has to keep them"
)
_DRAIN_NOTE: Final = (
    "Hefery deletes points from the spool's disk when the server has acknowledged them; influxdb-client's batching"
    " WriteApi has them in memory, where a kill, or a server down for longer than its retries, costs them"
)


@dataclass(frozen=True)
class Plan:
    """How many samples of ten domains a run brings through, and how many runs."""

    samples: int
    runs: int


@dataclass(frozen=True)
class Run:
    """Points a second, into the spool and from there into the store."""

    committed: float
    drained: float


FULL: Final = Plan(samples=1_000, runs=5)
QUICK: Final = Plan(samples=100, runs=2)


def rows(*, quick: bool) -> Iterator[Row]:
    """Rows for SQLite, and for InfluxDB where there is a server."""
    yield from measured(QUICK if quick else FULL)


def measured(plan: Plan) -> Iterator[Row]:
    """The same by a plan; that there is no server is told on standard error."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        sqlite = SqliteSettings(kind="sqlite", path=folder / "store.sqlite")
        runs = [_through_spool(sqlite, _samples(plan, run)) for run in range(plan.runs)]
        yield _row("drain into SQLite", [run.drained for run in runs])
        try:
            server = stack.enter_context(running_influxd(folder))
        except RuntimeError as error:
            print(f"spool: no rows for InfluxDB: {error}", file=sys.stderr)
            yield _row(_COMMIT, [run.committed for run in runs])
        else:
            yield from _into_influxdb(plan, create_buckets(server, "bench", folder).settings())


def _into_influxdb(plan: Plan, store: InfluxSettings) -> Iterator[Row]:
    ours, synchronous, batching = [], [], []
    for run in range(plan.runs):
        ours.append(_through_spool(store, _samples(plan, 3 * run)))
        synchronous.append(_synchronously(store, _samples(plan, 3 * run + 1)))
        batching.append(_in_batches(store, _samples(plan, 3 * run + 2)))
    committed, drained = [run.committed for run in ours], [run.drained for run in ours]
    yield _row(_COMMIT, committed, other="synchronous WriteApi", theirs=synchronous, note=_COMMIT_NOTE)
    yield _row("drain into InfluxDB", drained, other="batching WriteApi", theirs=batching, note=_DRAIN_NOTE)


def _row(case: str, ours: Sequence[float], *, other: str = "", theirs: Sequence[float] = (), note: str = "") -> Row:
    return Row("spool", case, "points/s", "more", tuple(ours), other=other, theirs=tuple(theirs), note=note)


def _samples(plan: Plan, run: int) -> list[Sample]:
    """Points of times that no other run has."""
    first_s = run * plan.samples
    return [[_point(domain, first_s + second) for domain in range(_DOMAINS)] for second in range(plan.samples)]


def _point(domain: int, second: int) -> Point:
    fields = {"cpu_ratio": 0.31, "memory_ratio": 0.52, "network_bytes_per_s": 214_783.0, "disk_ops_per_s": 38.5}
    tags = {"host": "host-0", "domain": f"guest-{domain}"}
    return Point("domain", tags, fields | {"cpu_ratio": second % 1_000 / 1_000}, _START_NS + second * NS_PER_S)


def _through_spool(store: StoreSettings, samples: Sequence[Sample]) -> Run:
    """As the agent does it, but one after the other: everything is committed before the first is sent."""
    points = sum(map(len, samples))
    with scratch_folder() as folder:
        limits = SpoolSettings(path=folder / "spool.db")
        spool = Spool(limits.path, max_bytes=limits.max_bytes, max_age_s=limits.max_age_s)
        began_s = time.perf_counter()
        for sample in samples:
            spool.add(sample)
        committed_s = time.perf_counter()
        _drain(spool, store, points)
        drained_s = time.perf_counter()
        spool.close()
    return Run(points / (committed_s - began_s), points / (drained_s - committed_s))


def _drain(spool: Spool, store: StoreSettings, points: int) -> None:
    sender = Sender(
        spool, partial(open_store, store), Events("host-0"), batch_points=_BATCH_POINTS, period_s=1.0, flush_s=0.0
    )
    while not sender.step():
        pass
    if sender.sent != points:
        raise RuntimeError(f"{sender.sent} of {points} points were sent: {spool.state()}")


def _synchronously(store: InfluxSettings, samples: Sequence[Sample]) -> float:
    """Points a second that influxdb-client writes, a request for each sample."""
    theirs = [[_their_point(point) for point in sample] for sample in samples]
    with _client(store) as client, client.write_api(write_options=SYNCHRONOUS) as api:
        began_s = time.perf_counter()
        for sample in theirs:
            api.write(store.buckets.telemetry, record=sample)
        return sum(map(len, samples)) / (time.perf_counter() - began_s)


def _in_batches(store: InfluxSettings, samples: Sequence[Sample]) -> float:
    """Points a second that influxdb-client takes, gathers and writes."""
    theirs = [[_their_point(point) for point in sample] for sample in samples]
    written: list[int] = []
    options = WriteOptions(batch_size=_BATCH_POINTS)
    with _client(store) as client:
        began_s = time.perf_counter()
        with client.write_api(
            options, success_callback=lambda _, lines: written.append(len(lines.splitlines()))
        ) as api:
            for sample in theirs:
                api.write(store.buckets.telemetry, record=sample)
        spent_s = time.perf_counter() - began_s
    points = sum(map(len, samples))
    if sum(written) != points:
        raise RuntimeError(f"{sum(written)} of {points} points were written by influxdb-client's batching WriteApi")
    return points / spent_s


def _client(store: InfluxSettings) -> InfluxDBClient:
    token = store.token_file.read_text(encoding="ascii").strip()
    return InfluxDBClient(url=store.url, org=store.org, token=token, enable_gzip=True)


def _their_point(point: Point) -> influxdb_client.Point:
    document = {"measurement": point.measurement, "tags": point.tags, "fields": point.fields, "time": point.time_ns}
    return influxdb_client.Point.from_dict(document)
