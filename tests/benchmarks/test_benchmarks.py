"""Every benchmark runs at a tiny size, and what it tells is whole."""

import json
from pathlib import Path

import pytest

from benchmarks import bench_agent, bench_spool, bench_tick
from benchmarks.__main__ import main
from benchmarks.rows import Goal, Row, table


def row(ours: tuple[float, ...], theirs: tuple[float, ...] = (), **about: object) -> Row:
    other = "tool" if theirs else ""
    return Row("b", "case", "s", about.pop("better", "less"), ours, other, theirs, **about)  # type: ignore[arg-type]  # as given


class TestRow:
    def test_compares_runs_that_met_the_same_load(self) -> None:
        assert row((1.0, 10.0, 2.0), (4.0, 40.0, 4.0)).times == 4.0
        assert row((4.0, 40.0, 8.0), (1.0, 10.0, 4.0), better="more").times == 4.0
        assert row((1.0,)).times is None

    @pytest.mark.parametrize(
        ("one", "reached"),
        [
            (row((1.0, 2.0, 9.0)), None),
            (row((1.0, 2.0, 9.0), goal=Goal("ours", 2.0)), True),
            (row((1.0, 2.1, 9.0), goal=Goal("ours", 2.0)), False),
            (row((1.0, 2.0, 9.0), goal=Goal("ours", 2.0), better="more"), True),
            (row((2.0,), (8.0,), goal=Goal("times", 4.0)), True),
            (row((2.0,), (7.9,), goal=Goal("times", 4.0)), False),
        ],
    )
    def test_knows_whether_its_goal_was_reached(self, one: Row, reached: bool | None) -> None:
        assert one.reached is reached
        assert ("MISSED" in table([one])) == (reached is False)

    @pytest.mark.parametrize(("ours", "theirs"), [((), ()), ((1.0, 2.0), (1.0,))])
    def test_refuses_runs_without_a_partner(self, ours: tuple[float, ...], theirs: tuple[float, ...]) -> None:
        with pytest.raises(ValueError, match="b, case: "):
            row(ours, theirs)

    def test_table_shows_every_figure_and_each_note_once(self) -> None:
        lines = table([row((0.001, 1234.5, 2.0), (1.0, 1.0, 1.0), note="said"), row((1.0,), note="said")]).splitlines()
        assert "2 (0.001-1,234)" in lines[2]
        assert "tool: 1 (1-1)" in lines[2]
        assert lines[4:] == ["", "* b: said"]


def test_a_tick_is_timed_after_the_window_is_full() -> None:
    one = bench_tick.row(bench_tick.Plan(domains=120, ticks=2))
    assert len(one.ours) == 2
    assert min(one.ours) > 0


def test_the_spool_is_measured_beside_influxdb_client() -> None:
    rows = list(bench_spool.measured(bench_spool.Plan(samples=3, runs=2)))
    assert [(one.case, one.other) for one in rows] == [
        ("drain into SQLite", ""),
        ("commit 10 points at a time", "synchronous WriteApi"),
        ("drain into InfluxDB", "batching WriteApi"),
    ]
    assert min(figure for one in rows for figure in one.ours + one.theirs) > 0


def test_without_a_server_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INFLUXD", "/nonexistent")
    rows = list(bench_spool.measured(bench_spool.Plan(samples=1, runs=1)))
    assert [one.case for one in rows] == ["drain into SQLite", "commit 10 points at a time"]
    assert "correct or unset INFLUXD" in capsys.readouterr().err


def test_the_agent_is_watched_at_its_whole_work() -> None:
    rows = list(bench_agent.measured(bench_agent.Plan(domains=2, runs=2, run_s=0.5)))
    assert [one.unit for one in rows] == ["% of a core", "CPU s per 1,000 samples", "MiB resident"]
    assert all(len(one.ours) == 2 and min(one.ours) > 0 for one in rows)
    for part in ("xen", "checkpoints", "governor", "decisions", "guest-memory", "host", "sender"):
        assert f" {part} " in rows[0].note


def test_writes_every_figure_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "build" / "bench.json"
    assert main(["--only", "tick", "--quick", "--json", str(path)]) == 0
    document = json.loads(path.read_text())
    assert {"commit", "machine", "load_before", "load_after", "duration_s", "quick", "rows"} == document.keys()
    assert {"cpu", "cores", "memory_bytes", "kernel", "python", "numpy"} <= document["machine"].keys()
    (one,) = document["rows"]
    assert (one["bench"], one["unit"], one["seed"]) == ("tick", "s", bench_tick.SEED)
    assert sorted(one["ours"])[len(one["ours"]) // 2] == one["ours_median"]
    printed = capsys.readouterr()
    assert "tick: 1,000 domains, SQLite" in printed.out
    assert "tick: 1,000 domains, SQLite: done" in printed.err


def test_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--only", "weather"])
    assert left.value.code == 2
    assert "choose from" in capsys.readouterr().err
