"""playbooks/verify.yml: its plays, on hosts that are this machine and one that is not there, against a real store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.playing import LOCAL, own_plays, play
from tests.ansible.rendering import ROOT
from tests.influxd import starting_influxd

HOSTS = f"""{LOCAL}[xen]
a
b
[nfs]
f ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1
[lease]
[clients]
[monitoring]
m
"""
DEFAULTS = yaml.safe_load((ROOT / "roles" / "influxdb" / "defaults" / "main.yml").read_text())
ADMIN_TOKEN = "only-for-tests-" * 3
SYSTEMCTL = """#!/bin/sh
shift
for unit; do [ $unit = hefery-heartbeat.service ] && echo failed || echo active; done
"""
SETTLE = [
    {
        "hosts": "monitoring",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.import_role": {"name": "influxdb", "tasks_from": "tokens"}}],
    }
]


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A store that the role influxdb has just made; what an inventory says of it, and of what to verify."""
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    (tmp_path / "tokens").mkdir()
    with starting_influxd(tmp_path) as url:
        told = {
            "influxdb_server_name": "127.0.0.1",
            "influxdb_listen_port": int(url.rpartition(":")[2]),
            "influxdb_admin_password": "only-for-tests",
            "influxdb_admin_token": ADMIN_TOKEN,
            "__influxdb_tokens": str(tmp_path / "tokens"),
        }
        settled = play(tmp_path, HOSTS, SETTLE, told)
        assert settled.returncode == 0, settled.stdout + settled.stderr
        folds = [fold["bucket"] for fold in DEFAULTS["influxdb_downsampling"]]
        yield told | {
            "verify_services": ["hefery-agent.service", "hefery-heartbeat.service"],
            "verify_hosts": ["a", "b", "f", "m"],
            "verify_agents": ["a"],
            "verify_dashboards_path": str(ROOT / "dashboards" / "rendered"),
            "verify_store_url": url,
            "verify_admin_token": ADMIN_TOKEN,
            "verify_token_folder": str(tmp_path / "tokens"),
            "verify_tokens": DEFAULTS["influxdb_tokens"],
            "verify_buckets": [*DEFAULTS["influxdb_retention_days"], *folds],
            "verify_declared": "{{ influxdb_site.changes | default(['it does not answer']) }}",
            "verify_report_path": str(tmp_path / "build" / "verify.json"),
        }


def test_the_table_tells_all_that_is_well_and_all_that_is_not(variables: dict[str, Any], tmp_path: Path) -> None:
    days = {"influxdb_retention_days": {**DEFAULTS["influxdb_retention_days"], "telemetry": 7}}
    ran = play(tmp_path, HOSTS, own_plays("verify.yml"), variables | days)

    report = json.loads(Path(variables["verify_report_path"]).read_text())
    rows = {f"{row['part']} {row['check']}": row for row in report["rows"]}
    assert [rows[f"service {host}: hefery-agent.service"]["ok"] for host in "abfm"] == [True, True, False, True]
    assert rows["service a: hefery-heartbeat.service"]["found"] == "failed"
    assert rows["age agent of a"]["ok"] is False  # no agent has ever written
    assert rows["store as declared"]["ok"] is False
    assert "retention of telemetry" in rows["store as declared"]["found"]
    well = ["store health", "store old tokens", *(f"token {name}" for name in variables["verify_tokens"])]
    assert all(rows[name]["ok"] for name in well)

    assert report["failed"] == sum(not row["ok"] for row in report["rows"])
    assert report["checks"] == len(report["rows"])
    assert ran.returncode == 2
    assert f"{report['failed']} of {report['checks']} checks failed" in " ".join(ran.stdout.split())
    tokens = [path.read_text().strip() for path in (tmp_path / "tokens").iterdir()]
    assert not any(token in ran.stdout + ran.stderr for token in [*tokens, ADMIN_TOKEN])


def test_where_the_store_is_silent_all_of_it_is_red(variables: dict[str, Any], tmp_path: Path) -> None:
    gone = {"influxdb_listen_port": 1, "verify_store_url": "http://127.0.0.1:1", "influxdb_start_limit_s": 1}
    ran = play(tmp_path, HOSTS, own_plays("verify.yml"), variables | gone)

    report = json.loads(Path(variables["verify_report_path"]).read_text())
    asked = [row for row in report["rows"] if row["part"] != "service"]
    assert {row["part"] for row in asked} == {"store", "panel", "alert", "token", "age"}
    assert not any(row["ok"] for row in asked)
    assert ran.returncode == 2
