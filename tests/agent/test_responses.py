import logging
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.jtl import JtlError
from agent.responses import Following, ResponseCollector, points_of
from agent.windows import Windows
from telemetry.point import Point
from tests.agent.jmeter import ANSWERS, ERRORS, RUN, rows
from tests.agent.running import running
from tests.waiting import wait_for

END_NS = (max(int(row["timeStamp"]) for row in rows()) + 3000) * 1_000_000
LONG_AFTER_NS = END_NS + 3600 * 10**9
HEADER = b"timeStamp,elapsed,label,success\n"


def collector(path: Path, wall_ns: int, history_s: float = 86_400.0) -> ResponseCollector:
    return ResponseCollector(
        path, "web1", window_s=1.0, period_s=0.002, history_s=history_s, quiet_s=0.01, wall_ns=lambda: wall_ns
    )


def following(path: Path, wall_ns: int) -> Following:
    return Following(path, lambda: Windows("web1", 1000), 3600.0, lambda: wall_ns)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, RUN.stat().st_size), max_size=5))
def test_a_growing_file_tells_what_the_finished_one_tells(tmp_path: Path, cuts: list[int]) -> None:
    """However the writer's pieces fall, and though the last windows wait until the file is replaced."""
    path, data, told = tmp_path / "run.jtl", RUN.read_bytes(), list[Point]()
    path.unlink(missing_ok=True)
    file, places = following(path, END_NS), sorted(cuts)
    with path.open("wb", buffering=0) as writer:
        for start, stop in zip([0, *places], [*places, len(data)], strict=True):
            writer.write(data[start:stop])
            told += file.sample()
    finished = list(points_of(RUN, "web1", 1.0))
    assert len(told) < len(finished)
    path.rename(tmp_path / "run.jtl.1")
    path.write_bytes(HEADER)
    told += file.sample()
    file.close()
    assert told == finished


def test_the_last_windows_are_told_when_nothing_more_is_written() -> None:
    told: list[Point] = []
    with running(collector(RUN, LONG_AFTER_NS), told.extend):
        wait_for(lambda: sum(int(point.fields["count"]) for point in told) == ANSWERS)
    assert sum(int(point.fields["errors"]) for point in told) == ERRORS


def test_what_the_store_may_no_longer_keep_is_left_out(tmp_path: Path) -> None:
    path, told = tmp_path / "run.jtl", list[Point]()
    new_ms = LONG_AFTER_NS // 1_000_000 - 60_000
    path.write_bytes(RUN.read_bytes())
    with path.open("ab") as file:
        file.write(HEADER + f"{new_ms},5,new,true\n".encode())
    with running(collector(path, LONG_AFTER_NS, history_s=600.0), told.extend):
        wait_for(lambda: told)
    assert [point.tags["label"] for point in told] == ["new"]


def test_broken_records_cost_nothing_but_themselves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, told = tmp_path / "run.jtl", list[Point]()
    path.write_bytes(HEADER + b"1000,5,x,true\nbroken\nbroken too\n1100,5,x,true\n1200,5,ha")
    file = following(path, LONG_AFTER_NS)
    with caplog.at_level(logging.WARNING):
        told += file.sample()
        path.rename(tmp_path / "old")
        path.write_bytes(HEADER)
        told += file.sample()
    file.close()
    assert [point.fields["count"] for point in told] == [2]
    assert "2 records were broken, 9 bytes" in caplog.text
    assert "line 3: 1 columns instead of 4; it is left out" in caplog.text
    assert "line 4" not in caplog.text


def test_what_is_none_of_jmeters_fails(tmp_path: Path) -> None:
    path = tmp_path / "run.jtl"
    path.write_bytes(b"<testResults/>\n")
    with pytest.raises(JtlError, match=r"run\.jtl, line 1: "):
        list(points_of(path, "web1", 1.0))


def test_a_finished_file_with_a_broken_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jtl"
    path.write_bytes(HEADER + b"1000,5,x,true\nbroken\n")
    with pytest.raises(JtlError, match="line 3: 1 columns"):
        list(points_of(path, "web1", 1.0))


def test_answers_may_be_written_in_another_order_than_they_ended(tmp_path: Path) -> None:
    path, told = tmp_path / "run.jtl", list[Point]()
    file = following(path, LONG_AFTER_NS)
    path.write_bytes(HEADER)
    for end_ms in (10_500, 12_400, 10_600, 14_999):
        with path.open("ab") as writer:
            writer.write(f"{end_ms - 5},5,x,true\n".encode())
        told += file.sample()
    file.close()
    assert [(point.time_ns // 10**6, point.fields["count"]) for point in told] == [(11_000, 2)]
    assert next(points_of(path, "web1", 1.0)) == told[0]
