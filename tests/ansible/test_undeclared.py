"""A guest that is declared no more: the real play of lease.yml, on this machine in the place of a Xen host."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import ROOT

NAME = "See that no guest is left out that is there"


def play(folder: Path, lives: bool) -> "subprocess.CompletedProcess[str]":
    """The play, and another after it; besides this machine there is a host that does not answer."""
    (look, *_) = yaml.safe_load((ROOT / "playbooks" / "lease.yml").read_text())
    assert look["name"] == NAME
    wants = folder / "multi-user.target.wants"
    wants.mkdir()
    (wants / "hefery-guard@old.service").symlink_to("/none")
    xl = folder / "xl"
    xl.write_text("#!/bin/sh\n" + ("echo 7\n" if lives else "exit 1\n"))
    xl.chmod(0o755)
    role = folder / "roles" / "remus"
    for part in ("tasks", "vars", "defaults"):
        (role / part).mkdir(parents=True)
        for path in (ROLES / "remus" / part).glob("*.yml"):
            (role / part / path.name).write_text(path.read_text().replace("/etc/systemd/system", str(folder)))
    after = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "went on"}}]}
    (folder / "play.yml").write_text(yaml.safe_dump([{**look, "become": False}, after]))
    hosts = {
        "up": {"ansible_connection": "local"},
        "off": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"},
    }
    inputs = {"remus_domains": [], "remus_pacer_path": "", "remus_peers": []}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"xen": {"hosts": hosts, "vars": inputs}}))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.yml", "play.yml", "--check"]
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ANSIBLE_ROLES_PATH": str(folder / "roles"),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
    }
    (folder / "ansible.cfg").write_text("")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lives", [True, False])
def test_a_guest_that_lives_is_not_left_out_also_where_another_host_is_off(tmp_path: Path, lives: bool) -> None:
    done = play(tmp_path, lives)
    assert ("went on" in done.stdout) is not lives, done.stdout + done.stderr
    assert (done.returncode == 0) is not lives
    assert ("old: in the inventory no more, and on up" in done.stdout) is lives
