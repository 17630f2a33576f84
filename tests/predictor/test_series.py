"""Series: gaps stay gaps, only steps that are over, domains wherever they run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.series import METRICS, complete_until_ns, grid_between, read
from telemetry.point import Point
from telemetry.schema import SCHEMA
from telemetry.store import Grid, Store

STEP_NS = 10**10


def seen(domain: str, time_ns: int, host: str = "a", **fields: float) -> Point:
    return Point("domain", {"host": host, "domain": domain}, fields, time_ns)


def test_metrics_are_in_the_schema() -> None:
    assert set(METRICS) == {name for name, field in SCHEMA["domain"].fields.items() if field.kind == "float"}


def test_gaps_stay_gaps(store: Store) -> None:
    store.append(
        [
            seen("web", 1, cpu_ratio=0.2, memory_ratio=0.5),
            seen("web", 2, cpu_ratio=0.4),
            seen("db", 2 * STEP_NS, disk_ops_per_s=7.0),
            seen("web", 3 * STEP_NS, cpu_ratio=1.0),
        ]
    )
    series = read(store, Grid(0, STEP_NS, 3))
    gap = np.nan
    assert series.domains == ("db", "web")
    np.testing.assert_allclose(
        series.values,
        [
            [[gap, gap, gap, gap], [0.3, 0.5, gap, gap]],
            [[gap, gap, gap, gap], [gap, gap, gap, gap]],
            [[gap, gap, gap, 7.0], [gap, gap, gap, gap]],
        ],
        rtol=1e-12,
    )


def test_domain_that_moved_is_one_series(store: Store) -> None:
    store.append([seen("web", 1, host="a", cpu_ratio=0.2), seen("web", STEP_NS + 1, host="b", cpu_ratio=0.6)])
    series = read(store, Grid(0, STEP_NS, 2))
    np.testing.assert_allclose(series.values[:, 0, 0], [0.2, 0.6], rtol=1e-12)


def test_wanted_domains_come_in_their_order_seen_or_not(store: Store) -> None:
    store.append([seen("db", 1, cpu_ratio=0.2), seen("other", 1, cpu_ratio=0.9)])
    series = read(store, Grid(0, STEP_NS, 1), only=["web", "db"])
    assert series.domains == ("web", "db")
    np.testing.assert_allclose(series.values[0, :, 0], [np.nan, 0.2], rtol=1e-12)


def test_empty_store_gives_no_domains(store: Store) -> None:
    assert read(store, Grid(0, STEP_NS, 4)).values.shape == (4, 0, len(METRICS))


@pytest.mark.parametrize(("now_ns", "expected_ns"), [(0, 0), (11, 0), (12, 10), (31, 20), (32, 30), (41, 30), (42, 40)])
def test_step_is_complete_when_late_points_have_had_their_time(now_ns: int, expected_ns: int) -> None:
    assert complete_until_ns(now_ns, step_ns=10, lag_ns=2) == expected_ns


@given(start_ns=st.integers(-100, 1000), stop_ns=st.integers(-100, 1000), step_ns=st.integers(1, 50))
def test_grid_holds_the_whole_steps_between(start_ns: int, stop_ns: int, step_ns: int) -> None:
    grid = grid_between(start_ns, stop_ns, step_ns)
    whole = [k for k in range(0, 1001, step_ns) if start_ns <= k and k + step_ns <= stop_ns]
    assert [grid.start_ns + k * step_ns for k in range(grid.count)] == whole
