"""playbooks/rotate-tokens.yml: its own plays, on hosts that are this machine, against a real store."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.settings import InfluxSettings
from telemetry.store import StoreRefused
from tests.ansible.playing import LOCAL, own_plays, play
from tests.ansible.plugins import load
from tests.ansible.rendering import defaults
from tests.influxd import starting_influxd

SITE = load("influxdb/library/influxdb_site.py")
ASK = load("verify/library/verify_ask.py")
QUESTIONS = load("verify/filter_plugins/verify_questions.py")
FINDINGS = load("verify/filter_plugins/verify_findings.py")
DEFAULTS = defaults("influxdb")
BUCKETS = {
    **DEFAULTS["influxdb_retention_days"],
    **{fold["bucket"]: fold["retention_days"] for fold in DEFAULTS["influxdb_downsampling"]},
}
HOSTS = f"{LOCAL}[xen]\na\nb\n[monitoring]\nm\n[clients]\nc\n"
ROTATED = {"agent", "grafana", "predictor", "responses"}


class Landscape:
    """A store with a token for each component, as the role influxdb makes it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.tokens = folder / "tokens"
        self.tokens.mkdir()
        self.admin_token = "only-for-tests-" * 3
        SITE.Site(self._wanted()).settle()

    def rotate(self, *words: str, loads: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run the playbook's own plays; `loads`: there are clients that load guests."""
        variables = {
            "influxdb_server_name": "127.0.0.1",
            "influxdb_listen_port": int(self.url.rpartition(":")[2]),
            "influxdb_admin_password": "only-for-tests",
            "influxdb_admin_token": self.admin_token,
            "__influxdb_tokens": str(self.tokens),
            "hefery_load_clients": loads,
            "hefery_agents": ["a", "b", *(["c"] if loads else []), "m"],
        }
        # the plays between these install and restart programs: tests/ansible/test_{agent,grafana,predictor}.py
        return play(self.folder, HOSTS, own_plays("rotate-tokens.yml"), variables, *words)

    def values(self) -> dict[str, str]:
        """Each component's token."""
        return {path.name: path.read_text().strip() for path in self.tokens.iterdir()}

    def wrong(self) -> list[dict[str, Any]]:
        """What playbooks/verify.yml would find wrong with the tokens."""
        questions = QUESTIONS.verify_tokens(DEFAULTS["influxdb_tokens"], list(BUCKETS))
        questions += [one for one in QUESTIONS.verify_store(60, 60, []) if one["row"] == "old tokens"]
        store = {"url": self.url, "organisation": "hefery", "ca_file": ""}
        wanted = {"store": store, "grafana": {}, "admin_token": self.admin_token, "token_folder": str(self.tokens)}
        asker = ASK.Asker(wanted, time.time())
        answers = [asker.answer(question) for question in questions]
        return [row for row in FINDINGS.verify_rows(questions, answers, time.time()) if not row["ok"]]

    def store(self, token: str) -> InfluxStore:
        """The store, as the component with this token has it."""
        path = self.folder / "token"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(token)
        return InfluxStore(InfluxSettings(kind="influxdb", url=self.url, org="hefery", token_file=path))

    def _wanted(self) -> dict[str, Any]:
        names = {"organisation": "hefery", "user": "admin", "password": "only-for-tests", "ca_file": ""}
        asked = {"tokens": DEFAULTS["influxdb_tokens"], "tasks": {}, "token_folder": str(self.tokens)}
        more = {"rotate": [], "withdraw": False, "start_limit_s": 30, "retention_days": BUCKETS}
        return {"url": self.url, "admin_token": self.admin_token, **names, **asked, **more}


@pytest.fixture
def landscape(tmp_path: Path) -> Iterator[Landscape]:
    with starting_influxd(tmp_path) as url:
        yield Landscape(tmp_path, url)


def use(store: InfluxStore, component: str) -> None:
    """What a component does with its token; raises StoreRefused."""
    now_ns = time.time_ns()
    if component == "agent":
        store.append([Point("event", {"kind": "test", "domain": "-", "host": "a"}, {"text": "hello"}, now_ns)])
        store.append([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, now_ns)])
    if component == "predictor":
        store.append([Point("decision", {"domain": "web1"}, {"interval_ms": 25.0, "sequence": 1}, now_ns)])
    if component == "responses":
        point = Point("response", {"domain": "web1", "label": "GET"}, {"count": 1, "errors": 0}, now_ns)
        store.append([point])
        return
    store.latest("decision", since_ns=0)


def test_afterwards_old_tokens_are_refused_and_every_component_works(landscape: Landscape) -> None:
    before = landscape.values()
    assert before.keys() == ROTATED

    ran = landscape.rotate()

    assert ran.returncode == 0, ran.stdout + ran.stderr
    after = landscape.values()
    assert {name for name in after if after[name] != before[name]} == ROTATED
    assert landscape.wrong() == []
    for component, token in after.items():
        use(landscape.store(token), component)
    for component in ROTATED:
        with pytest.raises(StoreRefused):
            use(landscape.store(before[component]), component)
    assert not any(token in ran.stdout + ran.stderr for token in [*before.values(), *after.values()])


def test_where_nobody_loads_guests_the_token_of_the_responses_stays(landscape: Landscape) -> None:
    before = landscape.values()

    ran = landscape.rotate("--limit", "a,b,m", loads=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert landscape.wrong() == []
    assert {name for name, token in landscape.values().items() if token == before[name]} == {"responses"}


@pytest.mark.parametrize(("limit", "silent"), [("a,c,m", "b"), ("a,b,m", "c")])
def test_while_a_host_has_not_its_own_both_are_valid_and_it_is_named(
    landscape: Landscape, limit: str, silent: str
) -> None:
    before = landscape.values()

    ran = landscape.rotate("--limit", limit)

    assert ran.returncode != 0
    assert f"{silent} did not get the new token: both are valid" in " ".join(ran.stdout.split())
    between = landscape.values()
    for tokens in (before, between):
        for component, token in tokens.items():
            use(landscape.store(token), component)
    assert [row["check"] for row in landscape.wrong()] == ["old tokens"]

    assert landscape.rotate().returncode == 0
    assert landscape.wrong() == []
    for component in ROTATED:
        for token in (before[component], between[component]):
            with pytest.raises(StoreRefused):
                use(landscape.store(token), component)


def test_a_store_that_another_installation_set_up_is_refused_by_name_and_keeps_its_tokens(landscape: Landscape) -> None:
    before = landscape.values()
    landscape.admin_token = "of-another-site-" * 3

    ran = landscape.rotate()

    assert ran.returncode != 0
    assert "token is not the one that it was set up with: influxdb_admin_token must be that one" in " ".join(
        ran.stdout.split()
    )
    assert landscape.admin_token not in ran.stdout + ran.stderr
    assert landscape.values() == before
