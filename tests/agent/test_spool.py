import sqlite3
import threading
from pathlib import Path

import pytest

from agent.rows import decode, encode
from agent.spool import MOST_QUARANTINED, Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S

START_NS = 1_600_000_000 * NS_PER_S


def point(n: int) -> Point:
    return Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, START_NS + n)


SIZE = len(encode(point(0)))


class World:
    """A spool in a folder, and its clock."""

    def __init__(self, directory: Path, max_points: int = 1_000_000) -> None:
        self.path = directory / "spool.db"
        self.max_bytes = max_points * SIZE
        self.now_ns = 1_700_000_000 * NS_PER_S
        self.told: list[str] = []

    def open(self) -> Spool:
        return Spool(
            self.path, max_bytes=self.max_bytes, max_age_s=100.0, tell=self.told.append, wall_ns=lambda: self.now_ns
        )

    def pass_time(self, seconds: float) -> None:
        self.now_ns += int(seconds * NS_PER_S)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def times(spool: Spool) -> list[int]:
    return [decode(row.body).time_ns - START_NS for row in spool.oldest(1_000_000)]


def test_gives_points_back_from_both_ends_until_they_are_sent(world: World) -> None:
    spool = world.open()
    spool.add([point(n) for n in range(5)])
    spool.add([point(n) for n in range(5, 10)])
    assert [decode(row.body) for row in spool.oldest(3)] == [point(0), point(1), point(2)]
    assert [decode(row.body) for row in spool.newest(3)] == [point(7), point(8), point(9)]
    spool.sent(spool.newest(3))
    spool.sent(spool.oldest(3))
    assert times(spool) == [3, 4, 5, 6]
    state = spool.state()
    assert (state.points, state.sent, state.dropped) == (4, 6, {})
    assert state.bytes == sum(len(encode(point(n))) for n in range(3, 7))
    assert state.last_sent_ns == world.now_ns


def test_a_late_acknowledgement_deletes_no_other_point(world: World) -> None:
    spool = world.open()
    spool.add([point(1)])
    in_flight = spool.newest(1)
    spool.sent(in_flight)
    spool.add([point(2)])
    spool.sent(in_flight)
    assert times(spool) == [2]


def test_keeps_everything_over_a_restart_(world: World) -> None:
    spool = world.open()
    spool.add([point(n) for n in range(5)])
    spool.sent(spool.oldest(2))
    before = spool.state()
    spool.close()
    assert world.open().state() == before


def test_drops_the_oldest_beyond_its_bytes_and_counts_them(tmp_path: Path) -> None:
    spool = World(tmp_path, max_points=2_500).open()
    spool.add([point(100_000 + n) for n in range(2_000)])
    assert spool.state().dropped == {}
    spool.add([point(200_000 + n) for n in range(2_000)])
    assert spool.state().dropped == {"bytes": 1_500}
    spool.add([point(300_000)])
    assert spool.state().dropped == {"bytes": 1_501}
    assert times(spool)[0] == 101_501
    assert spool.state().points == 2_500


def test_a_batch_beyond_the_bound_leaves_its_newest(tmp_path: Path) -> None:
    spool = World(tmp_path, max_points=3).open()
    spool.add([point(100_000 + n) for n in range(5_000)])
    assert times(spool) == [104_997, 104_998, 104_999]
    assert spool.state().dropped == {"bytes": 4_997}


def test_drops_what_is_too_old_and_counts_it(world: World) -> None:
    spool = world.open()
    spool.add([point(1), point(2)])
    world.pass_time(60.0)
    spool.add([point(3)])
    world.pass_time(40.0)
    spool.add([point(4)])
    assert spool.state().dropped == {}
    world.pass_time(0.001)
    spool.add([point(5)])
    assert spool.state().dropped == {"age": 2}
    assert times(spool) == [3, 4, 5]


def test_tells_the_age_of_the_oldest(world: World) -> None:
    spool = world.open()
    assert spool.state().oldest_ns is None
    spool.add([point(1)])
    world.pass_time(5.0)
    spool.add([point(2)])
    assert spool.state().oldest_ns == world.now_ns - 5 * NS_PER_S


def test_quarantined_points_are_out_of_the_way_with_the_reason(world: World) -> None:
    spool = world.open()
    spool.add([point(n) for n in range(3)])
    row = spool.oldest(2)[1]
    spool.quarantine([(row, "too odd")])
    assert times(spool) == [0, 2]
    state = spool.state()
    assert state.quarantined == 1
    assert state.newest_quarantined is not None
    assert decode(state.newest_quarantined.body) == point(1)
    assert (state.newest_quarantined.reason, state.newest_quarantined.refused_ns) == ("too odd", world.now_ns)


def test_the_quarantine_is_bounded_and_what_it_drops_is_counted(world: World) -> None:
    spool = world.open()
    spool.add([point(n) for n in range(MOST_QUARANTINED + 5)])
    spool.quarantine([(row, "odd") for row in spool.oldest(MOST_QUARANTINED)])
    assert spool.state().dropped == {}
    spool.quarantine([(row, "odd") for row in spool.oldest(5)])
    state = spool.state()
    assert (state.quarantined, state.dropped) == (MOST_QUARANTINED + 5, {"quarantine": 5})
    assert spool.state().points == 0


def test_notes_what_holds_points_up(world: World) -> None:
    spool = world.open()
    spool.trouble("no route to the store")
    assert spool.state().trouble == "no route to the store"
    spool.trouble("")
    assert spool.state().trouble == ""


def test_threads_lose_nothing_between_them(world: World) -> None:
    spool = world.open()

    def fill(first: int) -> None:
        for n in range(50):
            spool.add([point(first + n)])

    threads = [threading.Thread(target=fill, args=(1_000 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    taken: list[int] = []
    while any(thread.is_alive() for thread in threads) or spool.oldest(1):
        rows = spool.oldest(7)
        spool.sent(rows)
        taken += [decode(row.body).time_ns - START_NS for row in rows]
    assert sorted(taken) == sorted(1_000 * k + n for k in range(4) for n in range(50))


def test_rows_in_flight_while_a_new_file_is_begun_delete_none_of_its_own(world: World) -> None:
    spool = world.open()
    spool.add([point(n) for n in range(100)])
    in_flight = spool.oldest(5)
    spool.close()
    world.path.write_bytes(b"no database" * 1_000)
    spool = world.open()
    spool.add([point(1_000)])
    spool.sent(in_flight)
    spool.quarantine([(row, "odd") for row in in_flight])
    assert times(spool) == [1_000]
    assert len(world.told) == 1


def test_points_that_cannot_be_written_are_counted_once_that_is_possible(world: World) -> None:
    spool = world.open()
    other = sqlite3.connect(world.path, isolation_level=None)
    spool._file._database._connection.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    spool.add([point(1), point(2)])
    spool.add([point(3)])
    other.execute("ROLLBACK")
    other.close()
    spool.add([point(4)])
    spool.add([point(5)])
    assert times(spool) == [4, 5]
    assert spool.state().dropped == {"unwritten": 3}
