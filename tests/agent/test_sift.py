import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rows import Row, encode
from agent.sift import Pair, Sifted, decoded, sift
from telemetry.point import Point
from telemetry.store import StoreUnavailable
from tests.agent.fussy import FussyStore


def pairs(count: int) -> list[Pair]:
    points = [Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, n) for n in range(1, count + 1)]
    return [(Row(point.time_ns, encode(point)), point) for point in points]


def sifted(store: FussyStore, count: int, most_requests: int = 10**9) -> tuple[Sifted, list[int]]:
    """What sifting points 1 to `count` comes to, and which were acknowledged."""
    acknowledged: list[Row] = []
    result = sift(store.as_store(), pairs(count), acknowledged.extend, most_requests=most_requests)
    return result, [row.number for row in acknowledged]


@given(st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n or 1)))), st.booleans())
def test_all_good_points_are_stored_and_all_bad_ones_found(case: tuple[int, set[int]], partly: bool) -> None:
    count, bad = case
    store = FussyStore(bad, partly=partly)
    result, acknowledged = sifted(store, count)
    good = set(range(1, count + 1)) - bad
    assert store.stored == good
    assert sorted(acknowledged) == sorted(good)
    assert sorted(row.number for row, _ in result.refused) == sorted(bad & set(range(1, count + 1)))


def test_one_bad_point_costs_two_requests_a_halving() -> None:
    store = FussyStore({700})
    result, _ = sifted(store, 1_024)
    assert [(row.number, reason) for row, reason in result.refused] == [(700, "400")]
    assert len(store.batches) == 1 + 2 * math.log2(1_024)


@given(st.integers(1, 200), st.integers(1, 60))
def test_too_many_at_once_are_sent_in_parts(count: int, most: int) -> None:
    store = FussyStore(most=most)
    result, acknowledged = sifted(store, count)
    assert sorted(acknowledged) == list(range(1, count + 1))
    assert result.refused == []
    assert (result.fitting is None) == (count <= most)
    assert result.fitting is None or result.fitting <= most


def test_a_single_point_that_is_too_large_is_refused() -> None:
    result, acknowledged = sifted(FussyStore(most=0), 2)
    assert [row.number for row, _ in result.refused] == [2, 1]
    assert acknowledged == []


def test_the_requests_are_bounded_and_the_newest_points_come_first() -> None:
    store = FussyStore(set(range(1, 1_001)))
    result, acknowledged = sifted(store, 1_001, most_requests=30)
    assert len(store.batches) == 30
    assert acknowledged == [1_001]
    numbers = [row.number for row, _ in result.refused]
    assert numbers == list(range(1_000, 1_000 - len(numbers), -1))
    assert numbers


def test_what_was_taken_before_the_store_went_away_is_acknowledged() -> None:
    class Leaving(FussyStore):
        def append(self, points: object) -> None:
            if len(self.batches) == 2:
                raise StoreUnavailable("gone")
            super().append(points)  # type: ignore[arg-type] # what came

    store, acknowledged = Leaving({1}), list[Row]()
    with pytest.raises(StoreUnavailable):
        sift(store.as_store(), pairs(4), acknowledged.extend, most_requests=10)
    assert [row.number for row in acknowledged] == [3, 4]


def test_nothing_is_no_request() -> None:
    store = FussyStore()
    assert sifted(store, 0) == (Sifted(), [])
    assert store.batches == []


def test_rows_that_hold_no_point_are_refused_before_they_are_sent() -> None:
    good = pairs(1)[0]
    ((row, point),), ((bad, reason),) = decoded([good[0], Row(2, "{}")])
    assert (row, point) == good
    assert bad.number == 2
    assert "this version knows" in reason
