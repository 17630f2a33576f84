"""The role guest's decision: what is started where, from what the hosts have said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES

GUESTS = [
    {"name": name, "primary": "a", "backup": "b"} for name in ("lone", "here", "taken over", "received", "received--x")
]
SAID = {
    "a": ["xen", "domain here", "folder lone"],
    "b": ["xen", "domain taken over", "domain received--incoming"],
}
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROLES / "guest" / "vars" / "main.yml")],
        "vars": {"guest_declared": GUESTS, "guest_hosts": ["a", "b"], "guest_fenced": False},
        "tasks": [
            {"ansible.builtin.set_fact": {"__guest_probe": {"stdout_lines": "{{ said[inventory_hostname] }}"}}},
            {"ansible.builtin.debug": {"msg": "{{ __guest_homeless | map(attribute='name') }}"}},
            {
                "ansible.builtin.include_tasks": str(ROLES / "guest" / "tasks" / "start.yml"),
                "loop": "{{ __guest_homeless }}",
                "loop_control": {"loop_var": "__guest"},
            },
        ],
    }
]


def decided(tmp_path: Path, *words: str) -> tuple[dict[str, list[str]], str]:
    """What each host would start, and what was refused, by a dry run on hosts that are this machine."""
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump(PLAY))
    variables = json.dumps({"said": SAID, "ansible_python_interpreter": sys.executable})
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), "--check"]
    command += ["-i", "a,b,", "-c", "local", "-e", variables, *words]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_HOME": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    tasks: list[dict[str, Any]] = json.loads(ran.stdout)["plays"][0]["tasks"]
    started = {host: result["msg"] for host, result in tasks[1]["hosts"].items()}
    refused = [result["msg"] for task in tasks for result in task["hosts"].values() if result.get("failed")]
    return started, " ".join(refused)


def test_only_what_lives_nowhere_is_started_and_only_on_its_primary(tmp_path: Path) -> None:
    assert decided(tmp_path) == ({"a": ["lone", "received--x"], "b": []}, "")


def test_nothing_is_started_while_a_host_is_silent(tmp_path: Path) -> None:
    _, refused = decided(tmp_path, "--limit", "a")
    assert "is not started: b did not say what runs there" in refused
