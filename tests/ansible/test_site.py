"""site.yml: which hosts it makes, as far as nothing has to be changed for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ansible.playing import LOCAL, own_plays, play
from tests.ansible.rendering import ROOT

HOSTS = f"{LOCAL}[xen]\n[nfs]\n[lease]\n[monitoring]\n[clients]\nc\n"
UNBOUNDED = {
    "python_app_wheels_path": "/none",
    "agent_store_url": "http://127.0.0.1:1",
    "agent_store_token": "",
    "jmeter_target_address": "127.0.0.1",
    "jmeter_users": 0,
}
"""Of a client, which its role refuses before it changes anything."""


STORE = {
    "influxdb_listen_port": 1,
    "influxdb_admin_password": "only-for-tests",
    "influxdb_admin_token": "only-for-tests-" * 3,
}
"""Of a store that is not there: a dry run foresees what it would be asked."""


@pytest.mark.parametrize("words", [("--tags", "grafana"), ("--tags", "agent"), ("--skip-tags", "influxdb")])
def test_who_needs_a_token_has_it_also_where_the_store_is_left_out(tmp_path: Path, words: tuple[str, str]) -> None:
    (monitoring,) = own_plays("monitoring.yml")
    asked = {"ansible.builtin.assert": {"that": "influxdb_site.tokens is defined"}, "tags": ["agent", "grafana"]}
    plays = [{**monitoring, "roles": [], "tasks": [asked]}]
    ran = play(tmp_path, f"{LOCAL}[monitoring]\nm\n", plays, STORE, "--check", *words)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(("is_wanted", "status"), [(True, 2), (False, 0)])
def test_clients_are_made_where_they_are_wanted(tmp_path: Path, is_wanted: bool, status: int) -> None:
    (tmp_path / "hosts").write_text(HOSTS)
    given = {"ansible_python_interpreter": sys.executable, "hefery_load_clients": is_wanted, **UNBOUNDED}
    program = Path(sys.executable).with_name("ansible-playbook")
    hosts = [str(program), "-i", str(tmp_path / "hosts"), "-e", json.dumps(given)]
    command = [*hosts, "--tags", "jmeter", "--check", "site.yml"]
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_FORCE_COLOR": "0"}
    ran = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert ("jmeter_users must be from 1 to 1000" in " ".join(ran.stdout.split())) is is_wanted
