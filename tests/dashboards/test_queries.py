"""Every query of every dashboard on a real InfluxDB with a recorded run: its rows are there, with what panels show."""

import json
from datetime import datetime
from typing import Any

import pytest

from dashboards import histories as h
from dashboards.__main__ import BOARDS
from dashboards.annotations import ANNOTATIONS, Annotation
from dashboards.dashboard import Dashboard
from dashboards.flux import Flux, points
from dashboards.panel import Panel
from tests.dashboards.asking import answer, cells, completed
from tests.dashboards.recording import DOMAIN, LABEL, PROTECTED, START, TAKEN_OVER
from tests.influxd import Influx

BEFORE = (START, PROTECTED)
AFTER = (START, TAKEN_OVER)
_PANELS = [
    pytest.param(panel, id=f"{board.name}-{panel.title}")
    for board in BOARDS
    for row in board.rows
    for panel in row.panels
]


@pytest.mark.parametrize("panel", _PANELS)
def test_a_panel_has_something_to_show(recorded: Influx, panel: Panel) -> None:
    shown: set[str] = set()
    for flux in panel.queries:
        rows = answer(recorded, completed(flux.query, BEFORE))
        assert rows, flux.query
        assert set(flux.columns) <= rows[0].keys()
        assert set(flux.columns) - {"_time"} <= cells(rows), flux.query
        shown |= cells(rows) | {row.get("_field", "") for row in rows}
    assert {look.name for look in panel.looks} <= shown


@pytest.mark.parametrize("board", [board for board in BOARDS if board.variables], ids=lambda board: board.name)
def test_variables_find_their_values(recorded: Influx, board: Dashboard) -> None:
    wanted = {"domain": [DOMAIN], "label": [LABEL]}
    for variable in board.variables:
        found = answer(recorded, completed(variable.query.query, BEFORE))
        assert [row["_value"] for row in found] == wanted[variable.name]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=lambda annotation: annotation.title)
def test_annotations(recorded: Influx, annotation: Annotation) -> None:
    """With a domain chosen there are those of it and of all domains; this run has but one."""
    every = answer(recorded, completed(annotation.flux(()).query, AFTER))
    assert {"time", "title", "text", "tags"} <= cells(every)
    assert answer(recorded, completed(annotation.flux({"domain"}).query, AFTER)) == every
    others = answer(recorded, completed(annotation.flux({"domain"}).query, AFTER, {"domain": "other"}))
    assert len(others) == (len(every) if annotation.title == "Model changed" else 0)


def test_an_incident_has_an_end(recorded: Influx) -> None:
    (row,) = answer(recorded, completed(ANNOTATIONS[-1].flux(()).query, AFTER))
    assert (row["title"], row["timeEnd"]) == ("failed", "2026-11-23T12:36:00Z")
    assert row["time"] == "2026-11-23T12:33:00Z"


class TestWhatTheOverviewSays:
    def test_while_all_is_well(self, recorded: Influx) -> None:
        assert self.stats(recorded, BEFORE) == {"Unprotected": 0, "Guarded closely": 1, "Silent agents": 0}

    def test_after_a_failover(self, recorded: Influx) -> None:
        """The guest runs on b, unprotected, and the agent of a, which is dead, is silent."""
        assert self.stats(recorded, AFTER) == {"Unprotected": 1, "Guarded closely": 1, "Silent agents": 1}
        (row,) = answer(recorded, completed(table_query("Domains", "host").query, AFTER))
        assert (row["domain"], row["host"]) == (DOMAIN, "b")

    def stats(self, recorded: Influx, span: Any) -> dict[str, float]:
        told = {}
        for panel in BOARDS[0].rows[0].panels:
            if panel.title in {"Unprotected", "Guarded closely", "Silent agents"}:
                (row,) = answer(recorded, completed(panel.queries[0].query, span))
                told[panel.title] = float(row["_value"])
        return told


def table_query(title: str, column: str) -> Flux:
    (panel,) = (panel for row in BOARDS[0].rows for panel in row.panels if panel.title == title)
    return next(flux for flux in panel.queries if column in flux.columns)


def test_a_result_is_weighted_by_answers(recorded: Influx) -> None:
    """Against the same sums in Python."""
    raw = answer(recorded, completed(points("response", "count", "mean_ms", "errors").query, BEFORE))
    windows: dict[str, dict[str, float]] = {}
    for row in raw:
        windows.setdefault(row["_time"], {})[row["_field"]] = float(row["_value"])
    timed = [window for window in windows.values() if "mean_ms" in window]
    (result,) = answer(recorded, completed(BOARDS[3].rows[0].panels[0].queries[0].query, BEFORE))
    weighted = sum(w["mean_ms"] * (w["count"] - w["errors"]) for w in timed) / sum(
        w["count"] - w["errors"] for w in timed
    )
    assert float(result["mean_ms"]) == pytest.approx(weighted)
    assert float(result["count"]) == sum(window["count"] for window in windows.values())
    assert float(result["errors"]) == sum(window["errors"] for window in windows.values()) > 0


def test_a_window_is_protected_where_all_of_it_was(recorded: Influx) -> None:
    """Against the points themselves, by windows of 10 s; -1 where there are none."""
    windows: dict[int, list[bool]] = {}
    for row in answer(recorded, completed(points("checkpoint", "protected").query, AFTER)):
        second = int(datetime.fromisoformat(row["_time"]).timestamp())
        windows.setdefault(second // 10, []).append(row["_value"] == "true")
    shown = [
        (int(datetime.fromisoformat(row["_time"]).timestamp()) // 10 - 1, float(row["_value"]))
        for row in answer(recorded, completed(h.protected_curve().query, AFTER))
    ]
    assert shown == [(n, -1.0 if n not in windows else float(all(windows[n]))) for n, _ in shown]
    assert {value for _, value in shown} == {-1.0, 0.0, 1.0}
    assert any(len(set(told)) == 2 for told in windows.values())


def test_a_balance_is_that_of_the_points(recorded: Influx) -> None:
    """Against the points themselves, by minutes; one that was told of by two hosts is one."""
    minutes: dict[int, list[bool]] = {}
    for row in answer(recorded, completed(points("checkpoint", "protected").query, AFTER)):
        minute = int(datetime.fromisoformat(row["_time"]).timestamp()) // 60
        minutes.setdefault(minute, []).append(row["_value"] == "true")
    shown = {minute: all(told) for minute, told in minutes.items() if minute * 60 >= START.timestamp()}
    lost_s = 60 * sum(not protected for protected in shown.values())
    (row,) = answer(recorded, completed(h.balance().query, AFTER))
    assert 0 < lost_s == float(row["unprotected_s"])
    assert float(row["protected_ratio"]) == pytest.approx(1 - lost_s / (60 * len(shown)))
    silent_s = (TAKEN_OVER - START).total_seconds() - 60 * len(shown)
    assert float(row["untold_s"]) == max(silent_s, 0)


@pytest.mark.parametrize(("measurement", "field"), [("checkpoint", "pause"), ("response", "mean_s")])
def test_names_that_the_schema_does_not_have_are_refused(measurement: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"'{field}' is none of {measurement}'s fields"):
        points(measurement, field)


def test_json_is_plain() -> None:
    for board in BOARDS:
        assert json.loads(json.dumps(board.json())) == board.json()
