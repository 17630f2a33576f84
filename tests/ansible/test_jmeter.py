"""The role jmeter: the plan and the unit that it writes."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from agent.settings import AgentSettings
from telemetry.settings import load
from tests.ansible.rendering import ROOT, evaluate, render

PATH = "/?rounds=20&kib=256"


def plan(**more: Any) -> dict[str, str]:
    """Every property of the plan by its name."""
    tree = ET.fromstring(render("lab", "c", "jmeter", "load.jmx.j2", **more))
    return {node.attrib["name"]: node.text or "" for node in tree.iter() if node.tag.endswith("Prop")}


def test_the_plan_asks_for_what_the_variables_say() -> None:
    found = plan(jmeter_users=7, jmeter_ramp_s=3, jmeter_duration_s=90, jmeter_think_ms=40, jmeter_timeout_ms=900)
    assert found["ThreadGroup.num_threads"] == "7"
    assert found["ThreadGroup.ramp_time"] == "3"
    assert found["ThreadGroup.duration"] == "90"
    assert found["ConstantTimer.delay"] == "40"
    assert found["HTTPSampler.connect_timeout"] == found["HTTPSampler.response_timeout"] == "900"
    assert (found["HTTPSampler.domain"], found["HTTPSampler.port"]) == ("10.77.0.50", "80")
    assert found["HTTPSampler.path"] == PATH


def test_the_load_always_ends() -> None:
    """A group that loops for ever ends by its scheduler alone, and goes on where continue_forever is left out."""
    found = plan()
    assert found["ThreadGroup.scheduler"] == "true"
    assert found["LoopController.continue_forever"] == "false"


def test_a_label_may_hold_anything() -> None:
    tree = ET.fromstring(render("lab", "c", "jmeter", "load.jmx.j2", jmeter_label='<a> & "b"'))
    assert [node.attrib["testname"] for node in tree.iter("HTTPSamplerProxy")] == ['<a> & "b"']


@pytest.mark.parametrize(
    ("inputs", "begin"),
    [
        ({}, "/opt/hefery/java/bin/java -Xmx256m"),
        ({"jmeter_java_path": ""}, "/usr/bin/java -Xmx256m"),
        ({"jmeter_source": "debian"}, "/usr/bin/jmeter -n"),
    ],
)
def test_the_unit_runs_what_was_installed_and_outlives_the_plan(inputs: dict[str, str], begin: str) -> None:
    unit = render("lab", "c", "jmeter", "hefery-load.service.j2", jmeter_duration_s=60, **inputs)
    lines = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    assert lines["ExecStart"].startswith(begin)
    assert int(lines["RuntimeMaxSec"]) > 60


def test_the_unit_is_sound(tmp_path: Path) -> None:
    unit = tmp_path / "hefery-load.service"
    text = render("lab", "c", "jmeter", "hefery-load.service.j2")
    unit.write_text(text.replace("/opt/hefery/java/bin/java", "/bin/true"))  # the role installs the program
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    assert unit.name not in subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_the_agent_follows_what_jmeter_writes(inventory: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(render(inventory, "c", "agent", "agent.toml.j2", agent_responses_window_s=5))

    settings = load(path, AgentSettings)

    unit = render(inventory, "c", "jmeter", "hefery-load.service.j2")
    assert f"WorkingDirectory={settings.responses.path.parent}\n" in unit
    assert f"-l {settings.responses.path.name} " in unit
    assert settings.responses.enabled
    assert (settings.responses.domain, settings.responses.window_s) == ("web1", 5.0)
    assert [settings.xen.enabled, settings.governor.enabled, settings.checkpoints.enabled] == [False] * 3
    assert settings.machine.enabled


@pytest.mark.parametrize(
    "more", [{"jmeter_users": 0}, {"jmeter_users": 5000}, {"jmeter_duration_s": 5}, {"jmeter_duration_s": 10**6}]
)
def test_a_load_without_bounds_is_refused(more: dict[str, int]) -> None:
    (task,) = yaml.safe_load((ROOT / "roles" / "jmeter" / "tasks" / "preflight.yml").read_text())
    defaults = yaml.safe_load((ROOT / "roles" / "jmeter" / "defaults" / "main.yml").read_text())

    def accepted(variables: dict[str, Any]) -> bool:
        return all(evaluate(condition, "jmeter", **variables) for condition in task["ansible.builtin.assert"]["that"])

    assert accepted(defaults)
    assert not accepted(defaults | more)
