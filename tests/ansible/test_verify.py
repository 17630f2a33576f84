"""The role verify: its questions to a real store, and what is made of the answers."""

import configparser
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from lab.trials import grafana_stand_in
from tests.ansible.playing import own_plays
from tests.ansible.plugins import load
from tests.ansible.rendering import ROOT, defaults, render
from tests.dashboards import recording
from tests.influxd import Influx, create_buckets, running_influxd, starting_influxd

ASK = load("verify/library/verify_ask.py")
QUESTIONS = load("verify/filter_plugins/verify_questions.py")
FINDINGS = load("verify/filter_plugins/verify_findings.py")
RENDERED = ROOT / "dashboards" / "rendered"
BOARDS = [json.loads(path.read_text()) for path in sorted(RENDERED.glob("*.json"))]
ALERTS = yaml.safe_load((RENDERED / "alerts.yaml").read_text())
DEFAULTS = defaults("influxdb")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """A store that holds a recorded run of the lab."""
    folder = tmp_path_factory.mktemp("verified")
    with running_influxd(folder) as server:
        influx = create_buckets(server, "", folder)
        recording.replay(influx)
        (folder / "grafana").write_text(influx.admin_token)
        yield influx


def rows(wanted: dict[str, Any], questions: list[Row], now: datetime) -> list[Row]:
    asker = ASK.Asker(wanted, now.timestamp())
    answers = [asker.answer(question) for question in questions]
    found: list[Row] = FINDINGS.verify_rows(questions, answers, now.timestamp())
    return found


def asking(influx: Influx) -> dict[str, Any]:
    store = {"url": influx.url, "organisation": influx.org, "ca_file": ""}
    return {"store": store, "grafana": {}, "admin_token": influx.admin_token, "token_folder": str(influx.directory)}


def failed(found: list[Row]) -> dict[str, Row]:
    return {row["check"]: row for row in found if not row["ok"]}


class TestARecordedRun:
    def test_every_panel_has_something_to_show(self, recorded: Influx) -> None:
        found = rows(asking(recorded), QUESTIONS.verify_panels(BOARDS, "store"), recording.PROTECTED)
        assert failed(found) == {}
        assert len(found) == sum(bool(panel.get("targets")) for board in BOARDS for panel in board["panels"])

    def test_a_panel_without_data_says_what_to_do(self, recorded: Influx) -> None:
        later = recording.TAKEN_OVER + timedelta(days=300)
        found = rows(asking(recorded), QUESTIONS.verify_panels([BOARDS[0], BOARDS[3], BOARDS[-2]], "store"), later)
        assert all(row["remedy"] for row in failed(found).values())
        assert {row["check"].rpartition(": ")[2] for row in found if row["ok"]} == {
            "Events",
            "What the parts complain about",
        }
        assert "playbooks/protect.yml" in failed(found)["Hefery 2: Domain: Pauses"]["remedy"]
        assert failed(found)["Hefery 7: History: Balance"]["remedy"].startswith("the store folds its points")

    def test_a_query_that_is_not_understood_fails(self, recorded: Influx) -> None:
        (question, *_) = QUESTIONS.verify_panels(BOARDS, "store")
        for broken in ("from(bucket:", 'from(bucket: "telemetry") |> range(start: -1h) |> no_such_function()'):
            (row,) = rows(asking(recorded), [{**question, "flux": broken}], recording.PROTECTED)
            assert not row["ok"]
            assert row["found"].startswith("400: ")

    def test_alerts_are_quiet_until_there_is_trouble(self, recorded: Influx) -> None:
        questions = QUESTIONS.verify_alerts(ALERTS)
        assert failed(rows(asking(recorded), questions, recording.PROTECTED)) == {}
        fired = failed(rows(asking(recorded), questions, recording.TAKEN_OVER))
        assert {name: row["found"] for name, row in fired.items()} == {
            "Domain not protected": "fires for web1",
            "Agent silent": "fires for a",
        }
        assert "reprotect.yml" in fired["Domain not protected"]["remedy"]

    def test_ages(self, recorded: Influx) -> None:
        questions = QUESTIONS.verify_store(60, 60, ["a", "b"])
        ages = [question for question in questions if question["part"] == "age"]
        assert failed(rows(asking(recorded), ages, recording.PROTECTED)) == {}
        assert set(failed(rows(asking(recorded), ages, recording.TAKEN_OVER))) == {"agent of a"}
        assert set(failed(rows(asking(recorded), ages, recording.TAKEN_OVER + timedelta(hours=1)))) == {
            "agent of a",
            "agent of b",
            "forecast",
        }

    def test_through_the_stand_in_for_grafana(self, recorded: Influx, tmp_path: Path) -> None:
        with grafana(recorded, tmp_path) as wanted:
            questions = QUESTIONS.verify_panels(BOARDS[:1], "grafana") + QUESTIONS.verify_grafana(BOARDS)
            found = rows(wanted, questions, recording.PROTECTED)
            assert failed(found) == {}
            assert {row["check"] for row in found} > {"health", "data source", "dashboard Hefery 1: Overview"}
            wanted["grafana"]["password"] = "another"
            refused = failed(rows(wanted, QUESTIONS.verify_grafana(BOARDS), recording.PROTECTED))
            assert "401" in refused["data source"]["found"]
        gone = failed(rows(wanted, questions, recording.PROTECTED))
        assert len(gone) == len(found)
        assert "refused" in gone["health"]["found"]


@contextmanager
def grafana(influx: Influx, folder: Path) -> Iterator[dict[str, Any]]:
    """What the role grafana writes, read by the stand-in."""
    sources = folder / "provisioning" / "datasources"
    sources.mkdir(parents=True)
    told = {"grafana_store_url": influx.url, "__grafana_folder": str(folder)}
    (sources / "hefery.yaml").write_text(render("lab", "m", "grafana", "datasources.yaml.j2", **told))
    (folder / "grafana.ini").write_text(render("lab", "m", "grafana", "grafana.ini.j2", **told))
    (folder / "dashboards").symlink_to(RENDERED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEFERY_STORE_TOKEN", influx.admin_token)
        patch.setenv("GF_SECURITY_ADMIN_PASSWORD", "only-for-tests")
        site = grafana_stand_in.Site(folder / "grafana.ini")
    handler = type("Answers", (grafana_stand_in.Answers,), {"site": site, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            login = {"user": "admin", "password": "only-for-tests", "ca_file": ""}
            yield {**asking(influx), "grafana": {"url": f"http://127.0.0.1:{server.server_port}", **login}}
        finally:
            server.shutdown()


class TestTokens:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[dict[str, Any]]:
        """A store as the role influxdb makes it, but for its tasks."""
        with starting_influxd(tmp_path) as url:
            wanted = {
                "url": url,
                "organisation": "hefery",
                "user": "admin",
                "password": "only-for-tests",
                "admin_token": "only-for-tests-" * 3,
                "retention_days": dict.fromkeys(BUCKETS, 30),
                "tokens": DEFAULTS["influxdb_tokens"],
                "tasks": {},
                "token_folder": str(tmp_path),
                "rotate": [],
                "withdraw": False,
                "ca_file": "",
                "start_limit_s": 30,
            }
            load("influxdb/library/influxdb_site.py").Site(wanted).settle()
            yield {**wanted, "store": {"url": url, "organisation": "hefery", "ca_file": ""}, "grafana": {}}

    def test_each_does_what_it_may_and_nothing_else(self, site: dict[str, Any]) -> None:
        questions = QUESTIONS.verify_tokens(site["tokens"], BUCKETS)
        found = rows(site, questions, datetime.now(UTC))
        assert failed(found) == {}
        assert {row["check"] for row in found} == {*site["tokens"], "traces of this check"}
        left = [{**question, "token": ""} for question in questions if "flux" in question]
        asker = ASK.Asker(site, time.time())
        assert {asker.answer(question)["count"] for question in left} == {0}

    def test_one_that_may_do_more_or_less_is_told(self, site: dict[str, Any]) -> None:
        narrower = {**site["tokens"], "predictor": {"read": ["responses"], "write": ["decisions"]}}
        found = failed(rows(site, QUESTIONS.verify_tokens(narrower, BUCKETS), datetime.now(UTC)))
        assert set(found) == {"predictor"}
        for act in ("cannot write events", "cannot read telemetry", "reads responses"):
            assert f"not so: {act} (" in found["predictor"]["found"]

    def test_one_that_is_not_there_is_told(self, site: dict[str, Any]) -> None:
        Path(site["token_folder"], "agent").unlink()
        found = failed(rows(site, QUESTIONS.verify_tokens(site["tokens"], BUCKETS), datetime.now(UTC)))
        assert "No such file" in found["agent"]["found"]

    def test_one_that_was_rotated_and_not_withdrawn_is_told(self, site: dict[str, Any]) -> None:
        questions = [one for one in QUESTIONS.verify_store(60, 60, []) if one["part"] == "store"]
        assert failed(rows(site, questions, datetime.now(UTC))) == {}
        load("influxdb/library/influxdb_site.py").Site({**site, "rotate": ["agent"]}).settle()
        found = failed(rows(site, questions, datetime.now(UTC)))
        assert found["old tokens"]["found"] == "still valid: before hefery agent"


BUCKETS = [*DEFAULTS["influxdb_retention_days"], *(fold["bucket"] for fold in DEFAULTS["influxdb_downsampling"])]


def test_the_table_tells_what_to_do() -> None:
    found = FINDINGS.verify_services(["ssh.service", "cron.service"], ["active", "failed"], "a")
    found += FINDINGS.verify_absent(["b"]) + FINDINGS.verify_declared([])
    assert FINDINGS.verify_table(found) == [
        "        check                    found",
        "ok      service a: ssh.service   active",
        "FAILED  service a: cron.service  failed",
        "        -> on a: systemctl status cron.service; journalctl -u cron.service",
        "FAILED  service b: host          did not answer",
        "        -> start it, or mend the way to it by ssh; where --limit left it out, ask without --limit",
        "ok      store as declared        yes",
    ]
    report = FINDINGS.verify_report(found, "abc")
    assert (report["checks"], report["failed"], report["commit"], len(report["rows"])) == (4, 2, "abc", 4)


def test_a_service_that_nothing_was_said_of_is_not_well() -> None:
    assert [row["ok"] for row in FINDINGS.verify_services(["a.service", "b.service"], ["active"], "a")] == [True, False]


def test_the_stand_in_is_asked_as_grafanas_configuration_says() -> None:
    parsed = configparser.ConfigParser()
    parsed.read_string(render("lab", "m", "grafana", "grafana.ini.j2"))
    inventory = yaml.safe_load((ROOT / "inventory" / "lab" / "group_vars" / "monitoring.yml").read_text())
    assert f":{parsed['server']['http_port']}'" in inventory["verify_grafana_url"]


def test_a_token_that_is_made_anew_is_handed_out_by_the_remedy() -> None:
    """The one before is withdrawn at once: who does not get the new one is locked out."""
    (play,) = own_plays("monitoring.yml")
    (declared,) = FINDINGS.verify_declared(["token agent"])
    (token, *_) = QUESTIONS.verify_tokens(DEFAULTS["influxdb_tokens"], [])
    for remedy in (declared["remedy"], token["remedy"]):
        tags = remedy.partition("--tags ")[2].split()[0].split(",")
        assert set(tags) <= {role["tags"] for role in play["roles"] if isinstance(role["tags"], str)}
        assert {"influxdb", *DEFAULTS["influxdb_tokens"]} - {"responses"} == set(tags)
