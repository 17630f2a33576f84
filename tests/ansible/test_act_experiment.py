"""An experiment: its two phases on hosts that are this machine, with a real store, and what is made of them."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.agent.jmeter import RUN, rows
from tests.ansible.playing import LOCAL, play
from tests.ansible.plugins import load
from tests.ansible.rendering import render
from tests.influxd import Influx, create_buckets, running_influxd, write_lines

EXPERIMENT = load("act/filter_plugins/act_experiment.py")
PLAN = {"guest": "web1", "act": "experiment", "do": "measure", "host": "a", "peer": "b"}
SECOND_MS = 60_000
"""How much later the second load begins."""
BEGIN_MS = min(int(row["timeStamp"]) for row in rows())
ABOUT = {"commit": "abc", "load": {"users": 4}, "warm_up_s": 0}
AGENT = """
echo "$*" >>{folder}/log
case $1 in
    status) echo '{{"domains": [{{"domain": "web1", "hold_ms": '$HELD'}}]}}'; exit 1 ;;
    sum-up-jtl) exec {real} --config {folder}/agent.toml "$@" ;;
esac
"""
SYSTEMCTL = """
if [ "$1" = show ]; then
    shift 2
    for unit; do printf 'Id=%s\\nLoadState=loaded\\nActiveState=active\\n\\n' "$unit"; done
    exit
fi
echo "systemctl $*" >>{folder}/log
[ "$1" = restart ] && cp {folder}/load-$(grep -c restart {folder}/log).jtl {folder}/run.jtl
[ "$1" = is-active ] && echo $LOAD
exit 0
"""
XL = """
[ $HOST = a ] && name=web1 || name=web1--incoming
echo "$name 5 128 1 -b---- 12.3"
"""
SETTINGS = """
host = "c"
store = {{ kind = "sqlite", path = "{folder}/store.db" }}
spool = {{ path = "{folder}/spool.db" }}
"""
PLAY = [
    {
        "hosts": "a,b",
        "gather_facts": False,
        "environment": {"HOST": "{{ inventory_hostname }}"},
        "roles": [{"role": "act", "act_name": "experiment"}],
    }
]


@dataclass(frozen=True)
class Run:
    """What an experiment did, in order; what it said, and how it ended; and its report."""

    did: list[str]
    said: str
    code: int
    report: dict[str, Any] | None


class Site:
    """Hosts that are this machine: Hefery's agent, systemctl and xl are scripts that note what they are asked."""

    def __init__(self, folder: Path, influx: Influx) -> None:
        self.folder, self._influx = folder, influx
        self.report, self.replication = folder / "report.json", folder / "web1" / "replication"
        real = Path(sys.executable).with_name("hefery-agent")
        for name, text in {"hefery-agent": AGENT, "systemctl": SYSTEMCTL, "xl": XL}.items():
            path = folder / name
            path.write_text(f"#!/bin/sh{text.format(folder=folder, real=real)}")
            path.chmod(0o755)
        (folder / "agent.toml").write_text(SETTINGS.format(folder=folder))
        (folder / "load-1.jtl").write_bytes(RUN.read_bytes())
        (folder / "load-2.jtl").write_text(_later(rows(), SECOND_MS))
        (folder / "load.jmx").write_text(render("lab", "c", "jmeter", "load.jmx.j2", jmeter_duration_s=15))
        self.replication.parent.mkdir()
        self.replication.write_text(json.dumps({"protected": True, "until_monotonic_ns": 2**63}))

    def run(self, *words: str, **environment: str) -> Run:
        """Compare; the variables say what the scripts answer."""
        log = self.folder / "log"
        log.write_text("")
        told = {"HELD": "null", "LOAD": "inactive", **environment}
        ran = play(self.folder, f"{LOCAL}[all]\na\nb\nc\nm\n", PLAY, self._variables(), *words, **told)
        report = json.loads(self.report.read_text()) if self.report.exists() else None
        return Run(log.read_text().splitlines(), " ".join((ran.stdout + ran.stderr).split()), ran.returncode, report)

    def _variables(self) -> dict[str, Any]:
        return {
            "__act_agent": str(self.folder / "hefery-agent"),
            "__act_load_folder": str(self.folder),
            "__act_load_plan": str(self.folder / "load.jmx"),
            "act_guests": [
                {"name": name, "address": address, "primary": "a", "backup": "b"}
                for name, address in (("db1", "10.77.0.49"), ("web1", "10.77.0.50"))
            ],
            "act_hosts": ["a", "b"],
            "act_run_path": str(self.folder),
            "act_client": "c",
            "act_warm_up_s": 5,
            "act_store_host": "m",
            "act_store_url": self._influx.url,
            "act_store_token": self._influx.admin_token,
            "act_report_path": str(self.report),
        }


def _later(told: list[dict[str, str]], ms: int) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, told[0])
    writer.writeheader()
    writer.writerows({**row, "timeStamp": str(int(row["timeStamp"]) + ms)} for row in told)
    return out.getvalue()


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """A store that holds a checkpoint a second: at 25 ms, then, half a minute after the beginning, at 400 ms."""
    folder = tmp_path_factory.mktemp("store")
    with running_influxd(folder) as server:
        made = create_buckets(server, "", folder)
        write_lines(made, "telemetry", [_point(second) for second in range(-5, 90)])
        yield made


def _point(second: int) -> str:
    fields = f"interval_ms={25.0 if second < 30 else 400.0},pause_ms={float(second)},rate_per_s=5.0,protected=true"
    return f"checkpoint,host=a,domain=web1 {fields} {(BEGIN_MS + 1000 * second) * 10**6}"


@pytest.fixture
def site(tmp_path: Path, influx: Influx) -> Site:
    return Site(tmp_path, influx)


def test_two_phases_are_measured_and_the_interval_is_given_back(site: Site) -> None:
    ran = site.run()
    assert ran.code == 0, ran.said
    assert ran.report is not None
    assert [line.split()[:3] for line in ran.did if "is-active" not in line and "import" not in line] == [
        ["status", "--json"],
        ["hold", "web1", "--for"],
        ["event", "experiment", "--domain"],
        ["systemctl", "restart", "hefery-load.service"],
        ["sum-up-jtl", f"{site.folder}/run.jtl", "--skip"],
        ["hold", "web1", "--release"],
        ["systemctl", "stop", "hefery-load.service"],
        ["event", "experiment", "--domain"],
        ["event", "experiment", "--domain"],
        ["systemctl", "restart", "hefery-load.service"],
        ["sum-up-jtl", f"{site.folder}/run.jtl", "--skip"],
        ["systemctl", "stop", "hefery-load.service"],
        ["event", "experiment", "--domain"],
    ]
    assert ran.did.count(f"import-jtl {site.folder}/run.jtl --domain web1") == 2
    fixed, chosen = ran.report["phases"]
    assert (fixed["phase"], fixed["interval_ms"], fixed["held"]) == ("fixed", 25, True)
    assert (chosen["phase"], chosen["interval_ms"], chosen["held"]) == ("chosen", 400, False)
    kept = [row for row in rows() if int(row["timeStamp"]) >= BEGIN_MS + 5000]
    times = [int(row["elapsed"]) for row in kept if row["success"] == "true"]
    for phase in (fixed, chosen):
        assert (phase["answers"], phase["errors"]) == (len(kept), len(kept) - len(times))
        assert (phase["mean_ms"], phase["p95_ms"]) == pytest.approx((np.mean(times), np.percentile(times, 95)))
    ends = max(int(row["timeStamp"]) + int(row["elapsed"]) for row in kept)
    seconds = [n for n in range(-5, 90) if BEGIN_MS + 5000 <= BEGIN_MS + 1000 * n < ends]
    assert (fixed["pause_ms"], chosen["pause_ms"]) == pytest.approx((np.mean(seconds), np.mean(seconds) + 60))
    assert ran.report["load"]["users"] == 10
    assert ran.report["warm_up_s"] == 5
    assert str(site._influx.admin_token) not in ran.said


def test_the_interval_is_given_back_where_a_load_breaks_off(site: Site) -> None:
    ran = site.run(LOAD="failed")
    assert (ran.code, ran.report) == (2, None)
    assert "hefery-load.service on c is failed, not over" in ran.said
    assert [line for line in ran.did if line.startswith("hold web1")] == ["hold web1 --for 195s", "hold web1 --release"]
    assert ran.did.count("systemctl stop hefery-load.service") == 1


def test_the_hold_of_another_is_left_alone(site: Site) -> None:
    ran = site.run(HELD="25")
    assert "web1 is held to 25 ms on a" in ran.said
    assert ran.did == ["status --json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "web1 lives on a and is not protected, so there is no checkpoint to feel"),
        (["-e", "guest=db1"], "c asks 10.77.0.50 for 15 s; it must be db1"),
        (["-e", "act_warm_up_s=15"], "longer than the warm-up of 15 s"),
        (["-e", "__act_load_plan=/nowhere/load.jmx"], "c asks nobody for 0 s; it must be a declared guest"),
    ],
)
def test_it_refuses_where_there_is_nothing_to_measure(site: Site, words: list[str], said: str) -> None:
    site.replication.unlink()
    ran = site.run(*words)
    assert said in ran.said
    assert (ran.did, ran.code, ran.report) == ([], 2, None)


def test_a_check_says_what_would_be_done_and_does_nothing(site: Site) -> None:
    ran = site.run("--check")
    assert "web1: load it on a, at the protective interval, then at that" in ran.said
    assert (ran.did, ran.code, ran.report) == ([], 0, None)


def table(*, of: str = "25", protected: str = "true", times: dict[str, float] | None = None) -> list[str]:
    """The faults of a report whose second phase is so."""
    seen = {"begin_ms": 0, "end_ms": 60_000, "count": 5, "errors": 0, "times_ms": {"mean_ms": 1.0}, "gap_ms": 9}
    names = (("fixed", True, seen), ("chosen", False, seen | ({} if times is None else {"times_ms": times})))
    phases = [{"name": name, "held": held, "seen": told} for name, held, told in names]
    answers = ["_field,_value\r\ninterval_ms,25\r\n\r\n_field,_value\r\nprotected,true\r\n\r\n"]
    answers += [answers[0].replace(",25", f",{of}").replace("true", protected)]
    made = EXPERIMENT.act_report(phases, answers, PLAN, ABOUT)
    assert len(EXPERIMENT.act_report_table(made)) == 3
    faults: list[str] = made["faults"]
    return faults


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ({"of": "400"}, None),
        ({"of": "25"}, "chosen: Hefery chose the protective interval all through"),
        ({"of": "400", "protected": "false"}, "chosen: the guest was not protected all through"),
        ({"of": "400", "times": {}}, "chosen: every answer was an error"),
    ],
)
def test_a_phase_that_shows_something_else_is_told(second: dict[str, Any], fault: str | None) -> None:
    found = table(**second)
    assert len(found) == (fault is not None)
    assert all(str(fault) in line for line in found)


def test_a_store_that_knows_nothing_is_no_protection() -> None:
    seen = {"begin_ms": 0, "end_ms": 60_000, "count": 1, "errors": 1, "times_ms": {}, "gap_ms": 60_000}
    made = EXPERIMENT.act_report([{"name": "fixed", "held": True, "seen": seen}], [""], PLAN, ABOUT)
    assert made["phases"][0]["begin"] == "1970-01-01T00:00:00.000+00:00"
    assert "the store has not heard of it" in made["faults"][0]
    assert EXPERIMENT.act_report_table(made)[1].split() == ["fixed", "-", "-", "-", "1", "1", "-", "-", "60000"]


def test_the_load_is_read_as_its_role_wrote_it() -> None:
    told = EXPERIMENT.act_load(render("lab", "c", "jmeter", "load.jmx.j2", jmeter_users=7, jmeter_duration_s=90))
    assert (told["users"], told["duration_s"], told["address"]) == (7, 90, "10.77.0.50")
    assert EXPERIMENT.act_load("")["address"] == ""
