from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jtl import Answer
from agent.windows import Windows, quantile
from telemetry.point import Point
from tests.agent.jmeter import LABEL, rows

NS = 1_000_000
T = 1_700_000_000_000


def good(end_ms: int, elapsed_ms: int = 5, label: str = "x") -> Answer:
    return Answer(label, end_ms, elapsed_ms, good=True)


def bad(end_ms: int, label: str = "x") -> Answer:
    return Answer(label, end_ms, 1, good=False)


def points(*answers: Answer, window_ms: int = 1000) -> list[Point]:
    windows = Windows("web1", window_ms)
    windows.add(answers)
    return windows.close()


@pytest.mark.parametrize("window_ms", [500, 1000, 60_000])
def test_a_run_of_jmeter_against_numpy(window_ms: int) -> None:
    """Each window's figures, from JMeter's rows by another way."""
    ends: dict[int, list[int]] = defaultdict(list)
    times: dict[int, list[int]] = defaultdict(list)
    for row in rows():
        end_ms = int(row["timeStamp"]) + int(row["elapsed"])
        ends[end_ms // window_ms].append(end_ms)
        if row["success"] == "true":
            times[end_ms // window_ms].append(int(row["elapsed"]))
    answers = [
        Answer(r["label"], int(r["timeStamp"]) + int(r["elapsed"]), int(r["elapsed"]), r["success"] == "true")
        for r in rows()
    ]

    found = points(*answers, window_ms=window_ms)

    assert [point.time_ns for point in found] == [(index + 1) * window_ms * NS for index in sorted(ends)]
    for point, index in zip(found, sorted(ends), strict=True):
        fields = point.fields
        assert (fields["count"], fields["errors"]) == (len(ends[index]), len(ends[index]) - len(times[index]))
        told = [fields[name] for name in ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")]
        assert told == pytest.approx(
            [np.mean(times[index]), *np.percentile(times[index], [50, 95, 99]), max(times[index])], rel=1e-12
        )
    assert {point.tags["label"] for point in found} == {LABEL}
    ok = np.sort([answer.end_ms for answer in answers if answer.good])
    assert max(float(point.fields["gap_ms"]) for point in found) == np.diff(ok).max()


@given(st.lists(st.integers(0, 10**7), min_size=1), st.floats(0, 1))
def test_quantiles_are_numpys(values: list[int], share: float) -> None:
    assert quantile(sorted(values), share) == pytest.approx(np.quantile(values, share), rel=1e-9, abs=1e-6)


def test_a_gap_reaches_back_into_the_windows_before() -> None:
    first, second, last = points(good(T + 100), good(T + 400), good(T + 3900), bad(T + 5200))
    assert first.fields["gap_ms"] == 300
    assert second.fields["gap_ms"] == 3500
    assert last.fields == {"count": 1, "errors": 1, "gap_ms": 6000 - 3900}


def test_an_error_alone_has_no_times_and_the_first_answer_no_gap() -> None:
    assert [dict(point.fields) for point in points(bad(T))] == [{"count": 1, "errors": 1}]
    (point,) = points(good(T))
    assert "gap_ms" not in point.fields


def test_labels_are_told_apart_and_written_as_the_store_can_keep_them() -> None:
    found = points(good(T, label="a\\b\n"), good(T, label=""), good(T, label="Seite ü"))
    assert {point.tags["label"] for point in found} == {"a?b?", "-", "Seite ü"}
    assert {point.tags["domain"] for point in found} == {"web1"}


def test_a_window_is_told_once_and_what_comes_later_is_counted() -> None:
    windows = Windows("web1", 1000)
    windows.add([good(T + 10), good(T + 1010), good(T + 2999)])
    assert [point.time_ns // NS - T for point in windows.close(windows.newest_ms)] == [1000, 2000]
    windows.add([good(T + 20), good(T + 2990)])
    assert windows.late == 1
    assert [point.fields["count"] for point in windows.close()] == [2]
    assert windows.close() == []
