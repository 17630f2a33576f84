import logging
import threading
from pathlib import Path

import pytest
import urllib3

from agent.backoff import Backoff
from agent.events import Events
from agent.rows import decode
from agent.sender import Sender
from agent.spool import Spool
from telemetry.point import Point
from telemetry.store import Store, StoreRefused, StoreUnavailable
from telemetry.stores import open_store
from tests.agent.fussy import FussyStore
from tests.faults import Act, Answer, FaultProxy
from tests.influxd import Influx

START_NS = 1_700_000_000 * 10**9


def point(n: int) -> Point:
    return Point("host", {"host": "a"}, {"cpu_ratio": n / 1_000}, START_NS + n)


class World:
    """A spool, a sender to a fussy store, and a clock that only the test moves."""

    def __init__(self, directory: Path, batch_points: int = 8) -> None:
        self.spool = Spool(directory / "spool.db", max_bytes=10**7, max_age_s=1e9)
        self.store = FussyStore()
        self.refused_to_open: StoreRefused | None = None
        self.opened = 0
        self.now_s = 1_000.0
        self.events = Events("a")
        self.sender = Sender(
            self.spool,
            self.open,
            self.events,
            batch_points=batch_points,
            period_s=0.5,
            flush_s=5.0,
            backoff=Backoff(1.0, 30.0, chance=lambda: 1.0),
            monotonic_s=lambda: self.now_s,
        )

    def open(self) -> Store:
        self.opened += 1
        if self.refused_to_open:
            raise self.refused_to_open
        return self.store.as_store()

    def add(self, first: int, count: int) -> None:
        self.spool.add([point(n) for n in range(first, first + count)])

    def waiting(self) -> list[int]:
        return [decode(row.body).time_ns - START_NS for row in self.spool.oldest(10_000)]

    def told(self) -> list[str]:
        points: list[Point] = []
        stop = threading.Event()
        stop.set()
        self.events.run(points.extend, stop)
        return [f"{point.tags['kind']}: {point.fields['text']}" for point in points]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_sends_what_there_is_and_waits_for_more(world: World) -> None:
    world.add(1, 5)
    assert world.sender.step() == 0.5
    assert world.store.stored == {START_NS + n for n in range(1, 6)}
    assert world.waiting() == []
    assert world.sender.sent == 5


def test_the_newest_and_the_oldest_take_turns(world: World) -> None:
    world.add(0, 30)
    assert world.sender.step() == 0.0
    world.add(30, 2)
    assert world.sender.step() == 0.0
    batches = [[time_ns - START_NS for time_ns in batch] for batch in world.store.batches]
    assert batches == [[*range(22, 30)], [*range(8)], [*range(16, 22), 30, 31], [*range(8, 16)]]
    assert world.sender.step() == 0.5
    assert world.waiting() == []


def test_an_unavailable_store_is_asked_less_and_less_often(world: World) -> None:
    world.add(0, 3)
    world.store.error = StoreUnavailable("no route")
    assert [world.sender.step() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert world.waiting() == [0, 1, 2]
    assert world.spool.state().trouble == "no route"
    world.store.error = None
    assert world.sender.step() == 0.5
    world.store.error = StoreUnavailable("no route")
    world.add(3, 1)
    assert world.sender.step() == 1.0
    assert world.told() == []


@pytest.mark.parametrize(("retry_after_s", "waits_s"), [(0.1, 1.0), (7.0, 7.0), (86_400.0, 300.0)])
def test_waits_as_long_as_the_store_asks_within_reason(world: World, retry_after_s: float, waits_s: float) -> None:
    world.add(0, 1)
    world.store.error = StoreUnavailable("busy", retry_after_s=retry_after_s)
    assert world.sender.step() == waits_s


def test_a_store_that_refuses_is_told_of_once_and_opened_anew(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.add(0, 3)
    world.store.error = StoreRefused("401: give the token the right to these buckets")
    with caplog.at_level(logging.WARNING):
        assert [world.sender.step() for _ in range(3)] == [60.0] * 3
    assert len(caplog.records) == 1
    assert world.told() == ["store_refused: 401: give the token the right to these buckets"]
    assert world.spool.state().trouble.startswith("401")
    assert (world.opened, world.store.closed) == (3, 3)
    world.store.error = None
    assert world.sender.step() == 0.5
    assert world.waiting() == []
    assert world.spool.state().trouble == ""


def test_a_store_that_cannot_be_opened_loses_nothing(world: World) -> None:
    world.add(0, 3)
    world.refused_to_open = StoreRefused("no token")
    assert world.sender.step() == 60.0
    world.refused_to_open = None
    assert world.sender.step() == 0.5
    assert world.waiting() == []


@pytest.mark.parametrize("partly", [True, False])
def test_bad_points_are_quarantined_with_the_reason(world: World, partly: bool) -> None:
    world.store.bad, world.store.partly = {START_NS + 2}, partly
    world.add(0, 5)
    world.sender.step()
    assert world.store.stored == {START_NS + n for n in (0, 1, 3, 4)}
    assert world.waiting() == []
    state = world.spool.state()
    assert (state.sent, state.quarantined) == (4, 1)
    assert state.newest_quarantined is not None
    assert state.newest_quarantined.reason == ("422" if partly else "400")


def test_a_store_that_takes_nothing_at_all_is_at_fault_not_the_points(world: World) -> None:
    world.store.bad = {START_NS + n for n in range(100)}
    world.add(0, 3)
    assert world.sender.step() == 60.0
    assert world.waiting() == [0, 1, 2]
    assert world.told() == ["store_refused: the store takes no point at all, such as: 400"]
    world.add(200, 1)
    world.sender.step()
    assert world.spool.state().quarantined == 3


def test_a_lone_bad_point_waits_for_nobody_while_the_store_takes_others(world: World) -> None:
    world.store.bad = {START_NS + 5}
    world.add(0, 1)
    world.sender.step()
    world.now_s += 30.0
    world.add(5, 1)
    assert world.sender.step() == 0.5
    assert world.spool.state().quarantined == 1


def test_a_store_that_takes_less_at_once_gets_less_and_later_more(world: World) -> None:
    world.store.most = 3
    world.add(0, 8)
    world.sender.step()
    assert [len(batch) for batch in world.store.batches] == [8, 4, 2, 2, 4, 2, 2]
    world.store.most = 100
    for first in (100, 200, 300):
        world.add(first, 8)
        world.sender.step()
    assert max(len(batch) for batch in world.store.batches[7:9]) == 4
    assert len(world.store.batches[-1]) == 8


def test_a_stop_sends_what_is_left(world: World) -> None:
    world.add(0, 100)
    stop = threading.Event()
    stop.set()
    world.sender.run(stop)
    assert world.waiting() == []
    assert world.store.closed == 1


def test_a_stop_does_not_wait_for_a_store_that_is_away(world: World) -> None:
    world.add(0, 100)
    world.store.error = StoreUnavailable("no route")
    stop = threading.Event()
    stop.set()
    world.sender.run(stop)
    assert len(world.waiting()) == 100
    assert len(world.store.batches) == 1


# --- Before a real server

FAULTS = [
    Answer(429, retry_after="7"),
    Answer(503),
    Act.HANG,
    Act.CUT_REQUEST,
    Act.CUT_RESPONSE,
    Answer(401),
    Answer(404),
    Answer(413),
    Answer(400),
    Answer(422),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fault_ends_with_every_point_in_the_server_once(
    fault: Act | Answer, influx: Influx, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool.db", max_bytes=10**7, max_age_s=1e9)
    settings = influx.settings(url=fault_proxy.url, timeout_s=0.3)
    sender = Sender(spool, lambda: open_store(settings), Events("a"), batch_points=8, period_s=0.0, flush_s=5.0)
    points = [point(n) for n in range(20)]
    spool.add(points)
    fault_proxy.order(Act.PASS, fault)
    waits_s = []
    while spool.state().points:
        waits_s.append(sender.step())
    assert (7.0 in waits_s) == (isinstance(fault, Answer) and fault.status == 429)
    assert (60.0 in waits_s) == (isinstance(fault, Answer) and fault.status in {401, 404})
    store = open_store(influx.settings())
    assert store.events("host", START_NS, START_NS + 100) == points
    assert spool.state().quarantined == 0
    store.close()


def test_points_that_the_server_refuses_are_quarantined_with_its_words(influx: Influx, tmp_path: Path) -> None:
    # a field has one type in the server: with this one stored, no float is taken for it
    url = f"{influx.url}/api/v2/write?org={influx.org}&bucket={influx.buckets.telemetry}"
    conflict = urllib3.request(
        "POST",
        url,
        body=f"host,host=b cpu_ratio=1i {START_NS}",
        headers={"Authorization": f"Token {influx.admin_token}"},
    )
    assert conflict.status == 204
    spool = Spool(tmp_path / "spool.db", max_bytes=10**7, max_age_s=1e9)
    sender = Sender(
        spool, lambda: open_store(influx.settings()), Events("a"), batch_points=8, period_s=0.0, flush_s=5.0
    )
    good = [Point("agent", {"host": "a"}, {"sent": n}, START_NS + n) for n in range(5)]
    spool.add([point(0), *good, point(1)])
    assert sender.step() == 0.0
    state = spool.state()
    assert (state.points, state.sent, state.quarantined) == (0, 5, 2)
    assert state.newest_quarantined is not None
    assert "field type conflict" in state.newest_quarantined.reason
    store = open_store(influx.settings())
    assert store.events("agent", START_NS, START_NS + 100) == good
    store.close()


def test_rows_of_another_schema_are_quarantined(world: World) -> None:
    world.add(0, 3)
    body = '{"measurement": "host", "tags": {"host": "a"}, "fields": {"gone": 0.5}, "time_ns": 5}'
    world.spool._file.run("IMMEDIATE", lambda file: file.execute("UPDATE point SET body = ? WHERE number = 2", [body]))
    world.sender.step()
    state = world.spool.state()
    assert (state.points, state.sent, state.quarantined) == (0, 2, 1)
    assert state.newest_quarantined is not None
    assert state.newest_quarantined.body == body
    assert "'gone'" in state.newest_quarantined.reason
