"""Playbooks on hosts that are this machine: in, plays, an inventory's text and variables; out, how Ansible ended."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.rendering import ROOT

LOCAL = "[all:vars]\nansible_connection=local\nansible_become=false\n"
"""How an inventory begins whose hosts are all this machine."""


def own_plays(playbook: str) -> list[dict[str, Any]]:
    """The plays of one of this project's playbooks, without the playbooks that it imports."""
    plays = yaml.safe_load((ROOT / "playbooks" / playbook).read_text())
    return [play for play in plays if "hosts" in play]


def play(
    folder: Path,
    hosts: str,
    plays: Sequence[Mapping[str, Any]],
    variables: Mapping[str, Any],
    *words: str,
    **environment: str,
) -> "subprocess.CompletedProcess[str]":
    """Run plays with this project's roles; programs in `folder` stand before those of the machine."""
    (folder / "hosts").write_text(hosts)
    (folder / "play.yml").write_text(yaml.safe_dump(list(plays), sort_keys=False))
    given = json.dumps({"ansible_python_interpreter": sys.executable, **variables})
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / "hosts"), "-e", given]
    told = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(ROOT / "roles")}
    told |= {"ANSIBLE_HOME": str(folder), "ANSIBLE_FORCE_COLOR": "0", "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(
        [*command, str(folder / "play.yml"), *words],
        env={**os.environ, **told, **environment},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
