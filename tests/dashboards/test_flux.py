"""What a window of a curve shows, against the same sums in Python over the points themselves."""

from collections import defaultdict
from datetime import datetime
from statistics import fmean

import pytest

from dashboards.flux import Fold, curves, highest_of_all, newest, points
from tests.dashboards.asking import answer, completed
from tests.dashboards.recording import DOMAIN, PROTECTED, START
from tests.influxd import Influx

SPAN = (START, PROTECTED)
_WINDOW_S = 10


def windows(recorded: Influx) -> dict[int, list[float]]:
    """Longest pauses by the number of their window."""
    found = defaultdict(list)
    for row in answer(recorded, completed(points("checkpoint", "pause_max_ms").query, SPAN)):
        found[int(datetime.fromisoformat(row["_time"]).timestamp()) // _WINDOW_S].append(float(row["_value"]))
    return found


@pytest.mark.parametrize(("fold", "fold_here"), [(Fold.HIGHEST, max), (Fold.LOWEST, min), (Fold.MEAN, fmean)])
def test_a_curve_folds_windows_and_shows_those_without_points(recorded: Influx, fold: Fold, fold_here: object) -> None:
    assert callable(fold_here)
    rows = answer(recorded, completed(curves(points("checkpoint", "pause_max_ms"), fold, ["domain"]).query, SPAN))
    raw = windows(recorded)
    gaps = 0
    for row in rows[:-1]:  # the last window is not over
        within = raw.get(int(datetime.fromisoformat(row["_time"]).timestamp()) // _WINDOW_S - 1)
        gaps += within is None
        assert row["domain"] == DOMAIN
        assert row["_value"] == "" if within is None else float(row["_value"]) == pytest.approx(fold_here(within))
    assert len(rows) == pytest.approx((PROTECTED - START).total_seconds() / _WINDOW_S, abs=1)
    assert 0 < gaps < len(rows) / 2


def test_the_newest_value_whatever_the_host(recorded: Influx) -> None:
    asked = newest(points("domain", "cpu_ratio", "memory_ratio"), ["domain"], ["cpu_ratio", "memory_ratio"])
    (row,) = answer(recorded, completed(asked.query, SPAN))
    raw = answer(recorded, completed(points("domain", "cpu_ratio", "memory_ratio").query, SPAN))
    for field in ("cpu_ratio", "memory_ratio"):
        last = max((one for one in raw if one["_field"] == field), key=lambda one: one["_time"])
        assert float(row[field]) == float(last["_value"])


def test_the_highest_of_all_series_with_gaps(recorded: Influx) -> None:
    """CPU of hosts a and b: in each window the higher of their highest."""
    found = defaultdict(list)
    for row in answer(recorded, completed(points("host", "cpu_ratio").query, SPAN)):
        found[int(datetime.fromisoformat(row["_time"]).timestamp()) // _WINDOW_S].append(float(row["_value"]))
    rows = answer(recorded, completed(highest_of_all(points("host", "cpu_ratio")).query, SPAN))
    for row in rows[:-1]:
        within = found.get(int(datetime.fromisoformat(row["_time"]).timestamp()) // _WINDOW_S - 1)
        assert row["_value"] == "" if within is None else float(row["_value"]) == pytest.approx(max(within))
    assert len(rows) == pytest.approx((PROTECTED - START).total_seconds() / _WINDOW_S, abs=1)
