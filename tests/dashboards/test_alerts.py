"""The alert rules: what each would say of a recorded run, and of trouble that it did not have."""

import re
from datetime import datetime, timedelta

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from dashboards.__main__ import BOARDS, FOLDER
from dashboards.alerts import ALERTS, Alert
from dashboards.dashboard import uid
from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.units import NS_PER_S
from tests.dashboards.asking import answer, completed
from tests.dashboards.recording import PROTECTED, START, TAKEN_OVER
from tests.influxd import Influx


def query(alert: Alert) -> str:
    text: str = alert.json()["data"][0]["model"]["query"]
    return text


def firing(recorded: Influx, now: datetime) -> dict[str, list[str]]:
    """The domains, hosts or models of each rule that fires."""
    found: dict[str, list[str]] = {}
    for alert in ALERTS:
        for row in answer(recorded, completed(query(alert), (START, now))):
            if float(row["value"]) > alert.above:
                found.setdefault(alert.name, []).append(row.get("domain") or row.get("host") or row["model"])
    return found


def test_rules_are_whole() -> None:
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    assert group["rules"] == [alert.json() for alert in ALERTS]
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    panels = {(uid(board.name), str(panel["id"])) for board in BOARDS for panel in board.json()["panels"]}
    links = [(rule["annotations"]["__dashboardUid__"], rule["annotations"]["__panelId__"]) for rule in group["rules"]]
    assert set(links) <= panels


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_row_is_a_number_with_the_labels_that_the_summary_names(recorded: Influx, alert: Alert) -> None:
    """What Grafana's expressions take for one number a row: texts, and one number."""
    rows = answer(recorded, completed(query(alert), (START, PROTECTED)))
    assert rows
    labels = set(re.findall(r"\$labels\.(\w+)", alert.summary))
    assert rows[0].keys() - {"", "result", "table"} == labels | {"value"}
    assert all(float(row["value"]) >= 0 for row in rows)


def test_nothing_fires_while_all_is_well(recorded: Influx) -> None:
    assert firing(recorded, PROTECTED) == {}


def test_a_failover_is_told(recorded: Influx) -> None:
    assert firing(recorded, TAKEN_OVER) == {"unprotected": ["web1"], "agent-silent": ["a"]}


def test_trouble_that_the_run_did_not_have(recorded: Influx) -> None:
    """An hour later: all of the above, and what a broken training, a full disk and a deaf store leave behind."""
    later = TAKEN_OVER + timedelta(hours=1)
    at_ns = int(later.timestamp()) * NS_PER_S - 1
    store = InfluxStore(recorded.settings())
    store.append(
        [
            Point("training", {"model": "default"}, {"accepted": False, "reason": "worse"}, at_ns),
            Point("host", {"host": "b"}, {"filesystem_ratio": 0.97}, at_ns),
            Point("agent", {"host": "b"}, {"spool_oldest_s": 900.0, "rss_bytes": 1}, at_ns),
        ]
    )
    store.close()
    assert firing(recorded, later) == {
        "unprotected": ["web1"],
        "forecast-stale": ["web1"],
        "agent-silent": ["a"],
        "spool-growing": ["b"],
        "refit-refused": ["default"],
        "store-nearly-full": ["b"],
    }


def test_a_night_without_a_training_is_told(recorded: Influx) -> None:
    assert firing(recorded, PROTECTED + timedelta(hours=27))["training-missed"] == ["default"]


def test_silence_is_fine_but_of_trainings() -> None:
    assert [alert.name for alert in ALERTS if alert.json()["noDataState"] != "OK"] == ["training-missed"]
