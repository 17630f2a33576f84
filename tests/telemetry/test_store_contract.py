"""What every store does alike; InfluxDB's side runs against a real server."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.point import END_OF_TIME_NS, MAX_TEXT_LENGTH, Point, Value
from telemetry.schema import NOBODY, SCHEMA
from telemetry.settings import SqliteSettings
from telemetry.store import Grid, Store, Window
from telemetry.stores import open_store

S = 10**9
T = 1_700_000_000 * S
METRICS = ["cpu_ratio", "memory_ratio"]

# one store serves all examples of a property: a point written again is overwritten
several_examples = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["sqlite", "influxdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = open_store(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))
    else:
        opened = open_store(request.getfixturevalue("influx").settings())
    yield opened
    opened.close()


def domain(time_ns: int, domain: str = "vm", host: str = "a", **fields: Value) -> Point:
    return Point("domain", {"host": host, "domain": domain}, fields or {"cpu_ratio": 0.5}, time_ns)


def event(time_ns: int, text: str, kind: str = "note") -> Point:
    return Point("event", {"kind": kind, "domain": NOBODY, "host": NOBODY}, {"text": text}, time_ns)


# ---- append, events -------------------------------------------------------------------------------------------------


def test_gives_points_of_every_measurement_back_whole(store: Store) -> None:
    values: dict[str, Value] = {"float": 0.1, "int": 2**62 + 1, "str": "calm", "bool": False}
    points = [
        Point(name, dict.fromkeys(m.tags, "x"), {f: values[field.kind] for f, field in m.fields.items()}, T)
        for name, m in SCHEMA.items()
    ]
    store.append(points)
    for point in points:
        assert store.events(point.measurement, T, T + 1) == [point]


def test_events_are_those_from_start_to_before_stop_oldest_first(store: Store) -> None:
    store.append([event(T + i, f"{i}") for i in (3, 1, 2, 0)])
    assert [point.fields["text"] for point in store.events("event", T + 1, T + 3)] == ["1", "2"]
    assert store.events("event", T + 9, T + 10) == []
    assert store.events("event", T, T) == []
    assert len(store.events("event", 0, 2**63)) == 4


def test_events_can_be_chosen_by_tags(store: Store) -> None:
    store.append([event(T, "one", kind="failover"), event(T, "other", kind="hold")])
    assert [point.fields["text"] for point in store.events("event", T, T + 1, where={"kind": "hold"})] == ["other"]
    assert store.events("event", T, T + 1, where={"kind": '" or true or "'}) == []


def test_repeated_points_are_merged_field_by_field(store: Store) -> None:
    store.append([domain(T, cpu_ratio=0.1, state="r"), domain(T, memory_ratio=0.2), domain(T, cpu_ratio=0.3)])
    store.append([domain(T, memory_ratio=0.4)])
    merged = [domain(T, cpu_ratio=0.3, memory_ratio=0.4, state="r")]
    assert store.events("domain", T, T + 1) == store.latest("domain", since_ns=T) == merged
    window = store.window("domain", METRICS, Grid(T, S, 1), by=["domain"])
    np.testing.assert_allclose(window.values[0, 0], [0.3, 0.4], rtol=1e-12)


def test_appending_nothing_is_no_fault(store: Store) -> None:
    store.append([])
    assert store.events("event", T, T + 1) == []


texts = st.text(st.characters(exclude_categories=["Cs"]))
tag_texts = texts.map(lambda text: "".join(c for c in text if c.isprintable() and c != "\\") or "-")
numbers = st.floats(allow_nan=False, allow_infinity=False)


@several_examples
@given(tag=tag_texts, text=texts, time_ns=st.integers(1, END_OF_TIME_NS - 1))
def test_text_comes_back_to_the_character(store: Store, tag: str, text: str, time_ns: int) -> None:
    point = Point("event", {"kind": tag, "domain": tag, "host": NOBODY}, {"text": text}, time_ns)
    store.append([point])
    assert store.events("event", time_ns, time_ns + 1, where=point.tags) == [point]


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb\r", "\\", "\\n", '"', '\\"', "a,b c=d", "#", "", "é😀", "\x00\t", "x" * MAX_TEXT_LENGTH]
)
def test_awkward_text_comes_back(store: Store, text: str) -> None:
    store.append([event(T, text)])
    assert [point.fields["text"] for point in store.events("event", T, T + 1)] == [text]


@several_examples
@given(
    value=numbers,
    count=st.integers(-(2**63), 2**63 - 1),
    flag=st.booleans(),
    time_ns=st.integers(1, END_OF_TIME_NS - 1),
)
def test_numbers_come_back_to_the_bit(store: Store, value: float, count: int, flag: bool, time_ns: int) -> None:
    checkpoint = Point("checkpoint", {"host": "a", "domain": "b"}, {"pause_ms": value, "protected": flag}, time_ns)
    decision = Point("decision", {"domain": "b"}, {"sequence": count}, time_ns)
    store.append([checkpoint, decision])
    assert store.events("checkpoint", time_ns, time_ns + 1) == [checkpoint]
    assert store.events("decision", time_ns, time_ns + 1) == [decision]


# ---- latest ---------------------------------------------------------------------------------------------------------


def test_latest_is_the_newest_point_of_each_tag_set_sorted_by_tags(store: Store) -> None:
    store.append([domain(T + 1, "b"), domain(T + 3, "a"), domain(T + 2, "b", state="r"), domain(T, "old")])
    newest = [domain(T + 3, "a"), domain(T + 2, "b", state="r")]
    assert store.latest("domain", since_ns=T + 1) == newest


def test_latest_holds_only_fields_of_the_newest_point(store: Store) -> None:
    store.append([domain(T, cpu_ratio=0.1, memory_ratio=0.9), domain(T + 1, cpu_ratio=0.2)])
    assert store.latest("domain", since_ns=T) == [domain(T + 1, cpu_ratio=0.2)]


def test_latest_counts_points_at_since_and_after_now(store: Store) -> None:
    store.append([domain(T, "at since"), domain(END_OF_TIME_NS - 1, "far ahead")])
    assert [point.tags["domain"] for point in store.latest("domain", since_ns=T)] == ["at since", "far ahead"]
    assert [point.tags["domain"] for point in store.latest("domain", since_ns=T + 1)] == ["far ahead"]


def test_latest_can_be_chosen_by_tags(store: Store) -> None:
    store.append([domain(T, "a", "x"), domain(T, "a", "y"), domain(T, "b", "x")])
    assert store.latest("domain", since_ns=T, where={"domain": "a", "host": "y"}) == [domain(T, "a", "y")]
    assert store.latest("domain", since_ns=T, where={"domain": "c"}) == []


# ---- window ---------------------------------------------------------------------------------------------------------


def test_window_is_means_on_the_grid_with_gaps_kept(store: Store) -> None:
    store.append(
        [
            domain(T - 1, cpu_ratio=9.0),
            domain(T, cpu_ratio=0.1),
            domain(T + S - 1, cpu_ratio=0.2),
            domain(T + 2 * S, cpu_ratio=0.4, memory_ratio=0.5),
            domain(T + 3 * S, cpu_ratio=9.0),
        ]
    )
    window = store.window("domain", METRICS, Grid(T, S, 3), by=["domain"])
    assert (window.rows, window.fields) == ((("vm",),), tuple(METRICS))
    np.testing.assert_allclose(window.values[:, 0], [[0.15, np.nan], [np.nan, np.nan], [0.4, 0.5]], rtol=1e-12)


def test_window_leaves_out_rows_without_values_and_those_not_asked_for(store: Store) -> None:
    store.append(
        [domain(T, "b"), domain(T, "a"), domain(T, "c", state="r"), domain(T - S, "late"), domain(T, "d", "z")]
    )
    window = store.window("domain", METRICS, Grid(T, S, 1), by=["domain", "host"], where={"host": "a"})
    assert window.rows == (("a", "a"), ("b", "a"))


def test_window_takes_points_of_several_hosts_together(store: Store) -> None:
    store.append([domain(T, host="a", cpu_ratio=0.1), domain(T + 1, host="a", cpu_ratio=0.1)])
    store.append([domain(T + 2, host="b", cpu_ratio=0.4)])
    window = store.window("domain", METRICS, Grid(T, S, 1), by=["domain"])
    np.testing.assert_allclose(window.values, [[[0.2, np.nan]]], rtol=1e-12)
    everything = store.window("domain", METRICS, Grid(T, S, 1), by=[])
    assert everything.rows == ((),)
    np.testing.assert_array_equal(everything.values, window.values)


def test_window_reads_counts_as_numbers(store: Store) -> None:
    store.append(
        [Point("response", {"domain": "web", "label": "home"}, {"count": n, "mean_ms": 1.0}, T + n) for n in (1, 2)]
    )
    store.append([Point("response", {"domain": "web", "label": "home"}, {"mean_ms": 4.0}, T + 3)])
    window = store.window("response", ["mean_ms", "count"], Grid(T, S, 1), by=["label"])
    np.testing.assert_allclose(window.values, [[[2.0, 1.5]]], rtol=1e-12)


@pytest.mark.parametrize("grid", [Grid(T, S, 0), Grid(T, S, 4)])
def test_window_of_nothing_has_no_rows(store: Store, grid: Grid) -> None:
    window = store.window("domain", METRICS, grid, by=["domain"])
    assert (window.rows, window.values.shape) == ((), (grid.count, 0, 2))


def brute_force(points: Sequence[Point], fields: Sequence[str], grid: Grid, by: Sequence[str]) -> Window:
    """The window by its definition, a point at a time."""
    merged: defaultdict[tuple[tuple[tuple[str, str], ...], int], dict[str, Value]] = defaultdict(dict)
    for point in points:
        merged[point.key, point.time_ns].update(point.fields)
    cells: defaultdict[tuple[int, tuple[str, ...], str], list[float]] = defaultdict(list)
    for (key, time_ns), known in merged.items():
        step = (time_ns - grid.start_ns) // grid.step_ns
        for field in set(fields) & known.keys():
            if 0 <= step < grid.count:
                cells[step, tuple(dict(key)[tag] for tag in by), field].append(float(known[field]))
    rows = tuple(sorted({row for _, row, _ in cells}))
    values = np.full((grid.count, len(rows), len(fields)), np.nan)
    for (step, row, field), seen in cells.items():
        values[step, rows.index(row), fields.index(field)] = math.fsum(seen) / len(seen)
    return Window(grid, rows, tuple(fields), values)


few = st.sampled_from(["a", "b", "c"])
some_fields = st.dictionaries(st.sampled_from([*METRICS, "network_bytes_per_s"]), st.floats(0, 1), min_size=1)
some_points = st.lists(st.tuples(few, few, st.integers(0, 50), some_fields), max_size=30)
GRID_ORIGINS = math.lcm(*range(1, 21))  # a multiple of every step below


def test_window_equals_its_definition(store: Store) -> None:
    origins = itertools.count(T // GRID_ORIGINS * GRID_ORIGINS, GRID_ORIGINS)  # every example has its own time

    @settings(max_examples=40)
    @given(
        batches=st.lists(some_points, min_size=1, max_size=3),
        grid=st.tuples(st.integers(0, 3), st.integers(1, 20), st.integers(0, 8)),
        by=st.sampled_from([["host", "domain"], ["domain", "host"], ["domain"], []]),
        where=st.dictionaries(st.just("host"), few),
    )
    def check(
        batches: list[list[tuple[str, str, int, dict[str, Value]]]],
        grid: tuple[int, int, int],
        by: list[str],
        where: dict[str, str],
    ) -> None:
        origin, (first, step_ns, count) = next(origins), grid
        written = [[domain(origin + ns, name, host, **fields) for host, name, ns, fields in batch] for batch in batches]
        for batch in written:
            store.append(batch)
        asked = [point for batch in written for point in batch if where.items() <= point.tags.items()]
        expected = brute_force(asked, METRICS, Grid(origin + first * step_ns, step_ns, count), by)
        window = store.window("domain", METRICS, expected.grid, by=by, where=where)
        assert (window.rows, window.fields) == (expected.rows, expected.fields)
        np.testing.assert_allclose(window.values, expected.values, rtol=1e-12)

    check()


# ---- names, health, closing -----------------------------------------------------------------------------------------


def test_refuses_names_that_the_schema_does_not_know(store: Store) -> None:
    with pytest.raises(ValueError, match="no measurement 'domian' in the schema; known are host, domain"):
        store.latest("domian", since_ns=T)
    with pytest.raises(ValueError, match="domain has no tag 'model'; it has host, domain"):
        store.events("domain", T, T + 1, where={"model": "x"})
    with pytest.raises(ValueError, match="domain has no tag 'model'"):
        store.window("domain", METRICS, Grid(T, S, 1), by=["model"])
    with pytest.raises(ValueError, match="domain has no numeric field 'state'; it has cpu_ratio"):
        store.window("domain", ["state"], Grid(T, S, 1), by=["domain"])


def test_is_healthy(store: Store) -> None:
    assert store.health().ok


def test_threads_may_share_a_store(store: Store) -> None:
    def work(number: int) -> list[Point]:
        for i in range(10):
            store.append([domain(T + i, f"vm-{number}-{i}")])
        return store.events("domain", T, T + 10, where={"domain": f"vm-{number}-9"})

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(work, range(4)))
    assert seen == [[domain(T + 9, f"vm-{number}-9")] for number in range(4)]
    assert len(store.events("domain", T, T + 10)) == 40
