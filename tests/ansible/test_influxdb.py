"""The role influxdb: its module against a real server."""

import getpass
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import urllib3
from influxdb_client import InfluxDBClient

from telemetry.influx import InfluxStore
from telemetry.point import Point
from telemetry.settings import InfluxSettings
from telemetry.store import StoreRefused
from telemetry.units import NS_PER_S
from tests.ansible.plugins import load
from tests.ansible.rendering import defaults, render, told
from tests.influxd import starting_influxd
from tests.waiting import wait_for

FIND = [str(Path(__file__).parents[2] / "scripts" / "influxd"), "--find"]
ROLE = Path(__file__).parents[2] / "roles" / "influxdb"
DEFAULTS = defaults("influxdb")
FOLDS = DEFAULTS["influxdb_downsampling"]
HIGHEST = ("pause_max_ms", "max_ms", "gap_ms")
EVENT = Point("event", {"kind": "test", "domain": "-", "host": "a"}, {"text": "hello"}, time.time_ns())
FORECAST = Point("decision", {"domain": "web1"}, {"interval_ms": 25.0, "sequence": 1}, time.time_ns())


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The module, which Ansible copies to the host as a single file."""
    return load("influxdb/library/influxdb_site.py")


@pytest.fixture
def wanted(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the role asks of a server that is not set up, by the role's own defaults."""
    folder = tmp_path / "tokens"
    folder.mkdir()
    with starting_influxd(tmp_path) as url:
        yield {
            "url": url,
            "organisation": DEFAULTS["influxdb_organisation"],
            "user": DEFAULTS["influxdb_admin_user"],
            "password": "only-for-tests",
            "admin_token": "only-for-tests-" * 3,
            "retention_days": DEFAULTS["influxdb_retention_days"]
            | {fold["bucket"]: fold["retention_days"] for fold in FOLDS},
            "tokens": DEFAULTS["influxdb_tokens"],
            "tasks": {
                fold["bucket"]: render("lab", "m", "influxdb", "downsample.flux.j2", fold=fold) for fold in FOLDS
            },
            "token_folder": str(folder),
            "rotate": [],
            "withdraw": False,
            "ca_file": "",
            "start_limit_s": 30,
        }


def store(wanted: dict[str, Any], name: str) -> InfluxStore:
    token_file = Path(wanted["token_folder"], name)
    return InfluxStore(InfluxSettings(kind="influxdb", url=wanted["url"], org="hefery", token_file=token_file))


def retention_s(wanted: dict[str, Any]) -> dict[str, int]:
    return {
        bucket["name"]: sum(rule["everySeconds"] for rule in bucket["retentionRules"])
        for bucket in ask(wanted, "GET", "buckets")["buckets"]
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
        "telemetry-10s": 90 * 86400,
        "telemetry-1m": 730 * 86400,
        "decisions-1m": 730 * 86400,
        "responses-1m": 730 * 86400,
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
    assert {name for name in after if after[name] != before[name]} == {"agent", "predictor"}
    store(wanted, "agent").append([EVENT])
    Path(wanted["token_folder"], "agent").write_text(before["agent"])
    with pytest.raises(StoreRefused):
        store(wanted, "agent").append([EVENT])  # withdrawn

    less = {**wanted, "retention_days": {**wanted["retention_days"], "telemetry": 7, "events": 1, "decisions": 0}}
    corrected = module.Site(less)
    corrected.settle()
    assert "token agent" in corrected.changes
    found = retention_s(wanted)
    assert (found["telemetry"], found["decisions"], found["events"]) == (7 * 86400, 0, 86400)
    wider = module.Site({**less, "tokens": {**less["tokens"], "agent": {"read": ["decisions"], "write": ["events"]}}})
    wider.settle()
    assert wider.changes == ["token agent"]


def test_another_administrators_token_is_refused(module: ModuleType, wanted: dict[str, Any]) -> None:
    module.Site(wanted).settle()
    with pytest.raises(module.Refused, match="401"):
        module.Site({**wanted, "admin_token": "another-token" * 3}).settle()


def test_a_token_stays_valid_until_the_one_after_it_has_arrived(module: ModuleType, wanted: dict[str, Any]) -> None:
    before = module.Site(wanted).settle()
    rotation = module.Site({**wanted, "rotate": ["agent"]})
    after = rotation.settle()
    assert rotation.changes == ["token agent"]
    assert {name for name in after if after[name] != before[name]} == {"agent"}
    old = Path(wanted["token_folder"], "old")
    old.touch(mode=0o600)
    old.write_text(before["agent"])
    for _ in range(2):  # a run of the role in between withdraws nothing
        store(wanted, "agent").append([EVENT])
        store(wanted, "old").append([EVENT])
        between = module.Site(wanted)
        assert between.settle() == after
        assert between.changes == []

    end = module.Site({**wanted, "withdraw": True})
    assert end.settle() == after
    assert end.changes == ["before hefery agent withdrawn"]
    store(wanted, "agent").append([EVENT])
    with pytest.raises(StoreRefused):
        store(wanted, "old").append([EVENT])


@pytest.mark.parametrize(
    ("given", "is_whole"),
    [
        ({}, True),
        ({"certificate": "a.pem", "key": "a.key"}, True),
        ({"certificate": "a.pem", "key": "a.key", "ca": "ca.pem"}, True),
        ({"certificate": "a.pem"}, False),
        ({"key": "a.key", "ca": "ca.pem"}, False),
        ({"ca": "ca.pem"}, False),
        ({"certificate": "a.pem", "key": "missing.key"}, False),
    ],
)
def test_a_part_of_what_tls_needs_is_refused(tmp_path: Path, given: dict[str, str], *, is_whole: bool) -> None:
    for name in ("a.pem", "a.key", "ca.pem"):
        (tmp_path / name).touch()
    paths = {f"influxdb_tls_{name}_path": str(tmp_path / file) for name, file in given.items()}
    assert told("{{ __influxdb_tls_is_whole }}", "lab", "m", "influxdb", **paths) is is_whole


def test_a_token_for_a_bucket_that_is_not_there_is_refused(module: ModuleType, wanted: dict[str, Any]) -> None:
    with pytest.raises(module.Refused, match="token agent: there is no bucket nowhere, only "):
        module.Site({**wanted, "tokens": {"agent": {"read": ["nowhere"]}}}).settle()


def test_tasks_are_kept_corrected_and_removed(module: ModuleType, wanted: dict[str, Any]) -> None:
    module.Site(wanted).settle()
    other = render("lab", "m", "influxdb", "downsample.flux.j2", fold={**FOLDS[0], "every": "2m"})
    changed = module.Site({**wanted, "tasks": {FOLDS[0]["bucket"]: other}})
    changed.settle()
    first, *others = (f"task hefery {fold['bucket']}" for fold in FOLDS)
    assert changed.changes[0] == first
    assert sorted(changed.changes[1:]) == sorted(f"{other} removed" for other in others)


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold["bucket"])
def test_down_sampling_folds_every_number_of_the_schema(
    module: ModuleType, wanted: dict[str, Any], fold: dict[str, Any]
) -> None:
    """Against the same sums in Python, for whole windows; and what comes late is folded again."""
    module.Site(wanted).settle()
    window_ns = {"10s": 10, "1m": 60}[fold["window"]] * NS_PER_S
    start_ns = (time.time_ns() // window_ns - 3) * window_ns
    told = [told_at(start_ns + n * window_ns // 4, n) for n in range(8)]
    write(wanted, fold["source"], [line for n, line in enumerate(told) if n != 3])
    run_task(wanted, fold["bucket"])
    assert folded(wanted, fold["bucket"])["pause_ms", start_ns] == pytest.approx((0 + 1 + 2) / 3)
    write(wanted, fold["source"], [told[3]])
    run_task(wanted, fold["bucket"])

    found = folded(wanted, fold["bucket"])
    for n in range(2):
        at_ns = start_ns + n * window_ns
        assert found["pause_ms", at_ns] == pytest.approx(4 * n + 1.5)
        assert found["pause_max_ms", at_ns] == found["max_ms", at_ns] == found["gap_ms", at_ns] == 4 * n + 13
        assert (found["count", at_ns], found["errors", at_ns]) == (12, 4 if n else 0)
        assert found["sent", at_ns] == pytest.approx(4 * n + 1.5)
        assert found["protected", at_ns] is (n == 1)
    assert {name for name, _ in found} == {"pause_ms", *HIGHEST, "sent", "count", "errors", "protected"}


def told_at(time_ns: int, n: int) -> str:
    """Eight points, the first four of which say once that the domain is not protected."""
    fields = f"pause_ms={float(n)},sent={n}i,protected={'false' if n == 1 else 'true'},count=3i,errors={n // 4}i"
    highest = ",".join(f"{name}={n + 10.0}" for name in HIGHEST)
    return f'checkpoint,host=a,domain=web1 {fields},{highest},state="r" {time_ns}'


def run_task(wanted: dict[str, Any], bucket: str) -> None:
    """Run it once, now, as the server does at its times; its log must say that it succeeded."""
    (task,) = ask(wanted, "GET", f"tasks?name=hefery%20{bucket}")["tasks"]
    runs = f"tasks/{task['id']}/runs"
    run = ask(wanted, "POST", runs, {})["id"]
    state: dict[str, str] = {}

    def is_over() -> bool:
        """A run that begins or ends is in no list for a moment."""
        state.update({one["id"]: one["status"] for one in ask(wanted, "GET", runs).get("runs", [])})
        return state.get(run) in {"success", "failed"}

    wait_for(is_over)
    assert state[run] == "success", ask(wanted, "GET", f"{runs}/{run}/logs")["events"]


def ask(wanted: dict[str, Any], method: str, path: str, body: object = None) -> Any:
    headers = {"Authorization": f"Token {wanted['admin_token']}"}
    answer = urllib3.request(method, f"{wanted['url']}/api/v2/{path}", headers=headers, json=body)
    assert answer.status < 300, answer.data
    return answer.json()


def write(wanted: dict[str, Any], bucket: str, lines: list[str]) -> None:
    headers = {"Authorization": f"Token {wanted['admin_token']}"}
    url = f"{wanted['url']}/api/v2/write?org=hefery&bucket={bucket}"
    assert urllib3.request("POST", url, headers=headers, body="\n".join(lines)).status == 204


def folded(wanted: dict[str, Any], bucket: str) -> dict[tuple[str, int], Any]:
    """Values by field and time."""
    query = f'from(bucket: "{bucket}") |> range(start: -1d) |> keep(columns: ["_time", "_field", "_value"])'
    rows = InfluxDBClient(wanted["url"], wanted["admin_token"], org="hefery").query_api().query(query)
    records = [record for table in rows for record in table.records]
    return {(one["_field"], round(one["_time"].timestamp()) * NS_PER_S): one["_value"] for one in records}


def test_what_a_copy_of_the_files_holds_is_counted(module: ModuleType, wanted: dict[str, Any], tmp_path: Path) -> None:
    """While the server that the files were copied from lives on, as a backup does once they are copied."""
    module.Site(wanted).settle()
    write(wanted, "telemetry", [told_at(time.time_ns() - n, n) for n in range(100)])
    copy = tmp_path / "copy"
    copy.mkdir()
    for found, name in {"bolt": "influxd.bolt", "sqlite": "influxd.sqlite", "engine": "engine"}.items():
        copied = shutil.copytree if found == "engine" else shutil.copy
        copied(tmp_path / found, copy / name)
    asked = {
        "program": subprocess.run(FIND, capture_output=True, text=True, check=True).stdout.strip(),
        "folder": str(copy),
        "user": getpass.getuser(),
        "organisation": "hefery",
        "admin_token": wanted["admin_token"],
        "start_limit_s": 30,
    }
    count = load("influxdb/library/influxdb_count.py")
    assert count.values(asked) == {**dict.fromkeys(wanted["retention_days"], 0), "telemetry": 900}
    with pytest.raises(count.Refused, match="another administrator's token"):
        count.values({**asked, "admin_token": "another-token" * 3})
