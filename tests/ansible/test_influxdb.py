"""The role influxdb: its module against a real server."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import urllib3
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.settings import InfluxSettings
from telemetry.store import StoreRefused
from tests.ansible.plugins import load
from tests.influxd import starting_influxd

ROLE = Path(__file__).parents[2] / "roles" / "influxdb"
EVENT = Point("event", {"kind": "test", "domain": "-", "host": "a"}, {"text": "hello"}, time.time_ns())
FORECAST = Point("decision", {"domain": "web1"}, {"interval_ms": 25.0, "sequence": 1}, time.time_ns())


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The module, which Ansible copies to the host as a single file."""
    return load("influxdb/library/influxdb_site.py")


@pytest.fixture
def wanted(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the role asks of a server that is not set up, by the role's own defaults."""
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    folder = tmp_path / "tokens"
    folder.mkdir()
    with starting_influxd(tmp_path) as url:
        yield {
            "url": url,
            "organisation": defaults["influxdb_organisation"],
            "user": defaults["influxdb_admin_user"],
            "password": "only-for-tests",
            "admin_token": "only-for-tests-" * 3,
            "retention_days": defaults["influxdb_retention_days"],
            "tokens": defaults["influxdb_tokens"],
            "token_folder": str(folder),
            "start_limit_s": 30,
        }


def store(wanted: dict[str, Any], name: str) -> InfluxStore:
    token_file = Path(wanted["token_folder"], name)
    return InfluxStore(InfluxSettings(kind="influxdb", url=wanted["url"], org="hefery", token_file=token_file))


def retention_s(wanted: dict[str, Any]) -> dict[str, int]:
    headers = {"Authorization": f"Token {wanted['admin_token']}"}
    answer = urllib3.request("GET", f"{wanted['url']}/api/v2/buckets", headers=headers).json()
    return {
        bucket["name"]: sum(rule["everySeconds"] for rule in bucket["retentionRules"])
        for bucket in answer["buckets"]
        if bucket["type"] == "user"
    }


def test_set_up_once_then_kept(module: ModuleType, wanted: dict[str, Any]) -> None:
    rehearsal = module.Site(wanted, dry_run=True)
    assert rehearsal.settle() == {}
    assert rehearsal.changes == ["set-up"]

    first = module.Site(wanted)
    tokens = first.settle()
    assert "token agent" in first.changes
    assert retention_s(wanted) == {
        "telemetry": 30 * 86400,
        "decisions": 30 * 86400,
        "responses": 30 * 86400,
        "events": 0,
    }
    for path in Path(wanted["token_folder"]).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    for dry_run in (False, True):
        again = module.Site(wanted, dry_run=dry_run)
        assert again.settle() == tokens
        assert again.changes == []

    agent, predictor = store(wanted, "agent"), store(wanted, "predictor")
    agent.append([EVENT])
    predictor.append([FORECAST])
    assert agent.latest("decision", since_ns=0) == predictor.latest("decision", since_ns=0) != []
    with pytest.raises(StoreRefused):
        agent.append([FORECAST])
    with pytest.raises(StoreRefused):
        predictor.append([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, time.time_ns())])


def test_what_is_lost_or_changed_is_made_anew(module: ModuleType, wanted: dict[str, Any]) -> None:
    before = module.Site(wanted).settle()
    Path(wanted["token_folder"], "agent").unlink()
    Path(wanted["token_folder"], "predictor").write_text("nonsense\n")
    rehearsal = module.Site(wanted, dry_run=True)
    rehearsal.settle()
    lost = module.Site(wanted)
    after = lost.settle()
    assert lost.changes == rehearsal.changes == ["token agent", "token predictor"]
    assert not set(before.values()) & set(after.values())
    store(wanted, "agent").append([EVENT])
    Path(wanted["token_folder"], "agent").write_text(before["agent"])
    with pytest.raises(StoreRefused):
        store(wanted, "agent").append([EVENT])  # withdrawn

    less = {**wanted, "retention_days": {**wanted["retention_days"], "telemetry": 7, "events": 1, "decisions": 0}}
    corrected = module.Site(less)
    corrected.settle()
    assert "token agent" in corrected.changes
    assert retention_s(wanted) == {"telemetry": 7 * 86400, "decisions": 0, "responses": 30 * 86400, "events": 86400}
    wider = module.Site({**less, "tokens": {**less["tokens"], "agent": {"read": ["decisions"], "write": ["events"]}}})
    wider.settle()
    assert wider.changes == ["token agent"]


def test_another_administrators_token_is_refused(module: ModuleType, wanted: dict[str, Any]) -> None:
    module.Site(wanted).settle()
    with pytest.raises(module.Refused, match="401"):
        module.Site({**wanted, "admin_token": "another-token" * 3}).settle()
