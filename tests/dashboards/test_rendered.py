"""The committed dashboards: current, of sound layout, explained, with units that Grafana has and known names."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from dashboards.__main__ import BOARDS, FOLDER, rendered
from dashboards.dashboard import COLUMNS
from dashboards.look import UNITS
from telemetry.schema import SCHEMA
from tests.ansible.rendering import defaults

Json = dict[str, Any]

_GRAFANAS_UNITS = {"none", "short", "string", "percentunit", "Bps", "iops", "ms", "s", "bytes"}
"""Those in use; `make dashboards-preview` asks Grafana's own registry."""
_COLORS = {"green", "yellow", "orange", "red", "blue", "purple", "transparent", "text", "#8e8e8e"}
FOLDED = {fold["bucket"]: fold["source"] for fold in defaults("influxdb")["influxdb_downsampling"]}
_FLUX_COLUMNS = {"_time", "_value", "_field", "_measurement", "time", "title", "tags", "text"}


def dashboards() -> list[Json]:
    return [json.loads((FOLDER / f"{board.name}.json").read_text(encoding="utf-8")) for board in BOARDS]


def panels(board: Json) -> list[Json]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


ALL = [
    pytest.param(board, panel, id=f"{board['uid']}-{panel['id']}") for board in dashboards() for panel in panels(board)
]


def test_committed_files_are_current() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == dict(rendered()), "out of date: make dashboards"


def test_uids_titles_and_settings() -> None:
    boards = dashboards()
    assert [board["uid"] for board in boards] == [f"hefery-{board.name}" for board in BOARDS]
    assert len({board["title"] for board in boards}) == len(boards)
    for board in boards:
        assert (board["editable"], board["graphTooltip"], board["tags"]) == (False, 1, ["hefery"])
        assert board["description"]
        assert board["links"][0]["keepTime"]
        assert board["templating"]["list"][0]["type"] == "datasource"


@pytest.mark.parametrize("board", dashboards(), ids=lambda board: board["uid"])
def test_layout(board: Json) -> None:
    """Nothing overlaps or sticks out, rows are full, ids are unique."""
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [{(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])} for p in places]
    assert not any(one & other for one, other in combinations(cells, 2))
    height = max(place["y"] + place["h"] for place in places)
    assert set().union(*cells) == {(x, y) for x in range(COLUMNS) for y in range(height)}
    assert len({panel["id"] for panel in board["panels"]}) == len(places)


@pytest.mark.parametrize(("board", "panel"), ALL)
def test_a_panel_explains_itself(board: Json, panel: Json) -> None:
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["datasource"]["uid"] == "${datasource}"
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0


@pytest.mark.parametrize(("board", "panel"), ALL)
def test_units_and_colours(board: Json, panel: Json) -> None:
    text = json.dumps(panel["fieldConfig"])
    units = set(re.findall(r'"(?:id": "unit", "value|unit)": "([^"]*)"', text))
    assert units
    assert {unit for unit in units if not unit.startswith("suffix:")} <= _GRAFANAS_UNITS
    assert set(re.findall(r'"(?:color|fixedColor)": "([^"]*)"', text)) <= _COLORS


@pytest.mark.parametrize(("board", "panel"), ALL)
def test_a_curve_has_its_fields_unit(board: Json, panel: Json) -> None:
    """Where an override is named as a field of the schema, its unit is the schema's."""
    fields = {name: field.unit for m in SCHEMA.values() for name, field in m.fields.items()}
    for override in panel["fieldConfig"]["overrides"]:
        unit = [p["value"] for p in override["properties"] if p["id"] == "unit"]
        name = override["matcher"]["options"]
        if unit and name in fields and UNITS[fields[name]] not in {"short", "none"} and unit != ["none"]:
            assert unit == [UNITS[fields[name]]], name


def queries(board: Json) -> list[str]:
    found = [target["query"] for panel in panels(board) for target in panel["targets"]]
    found += [annotation["target"]["query"] for annotation in board["annotations"]["list"]]
    return found + [v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query"]


@pytest.mark.parametrize("board", dashboards(), ids=lambda board: board["uid"])
def test_every_name_in_a_query_is_known(board: Json) -> None:
    """Flux takes a misspelt column or measurement for one without data."""
    tags = {tag for measurement in SCHEMA.values() for tag in measurement.tags}
    fields = {name for measurement in SCHEMA.values() for name in measurement.fields}
    for query in queries(board):
        made = set(re.findall(r"[{,(] ?(\w+): ", query)) | set(re.findall(r'as: "(\w+)"', query))
        assert set(re.findall(r"\br\.(\w+)", query)) <= tags | fields | _FLUX_COLUMNS | made, query
        for measurement in re.findall(r'_measurement == "(\w+)"', query):
            assert measurement in SCHEMA
        asked = set(re.findall(r'from\(bucket: "([\w-]+)"\)', query))
        assert {FOLDED.get(bucket, bucket) for bucket in asked} == {
            SCHEMA[name].bucket for name in re.findall(r'_measurement == "(\w+)"', query)
        }


@pytest.mark.parametrize("board", dashboards(), ids=lambda board: board["uid"])
def test_variables(board: Json) -> None:
    """What queries ask for is there to be chosen, and what can be chosen is asked for."""
    asked = set(re.findall(r"\$\{(\w+):regex\}", " ".join(queries(board))))
    assert {variable["name"] for variable in board["templating"]["list"]} == asked | {"datasource"}


def test_links_lead_to_dashboards() -> None:
    uids = {board["uid"] for board in dashboards()}
    targets = re.findall(r"/d/([\w-]+)\?var-(\w+)=", json.dumps(dashboards()))
    assert targets
    assert {uid for uid, _ in targets} <= uids
    assert {variable for _, variable in targets} == {"domain"}
