"""The role nfs_server: guests that run are not switched between a share and a fence."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import evaluate


@pytest.mark.parametrize(
    ("clients", "said", "is_good"),
    [
        (["192.0.2.11"], [], True),
        (["192.0.2.11"], ["used", "running"], True),
        (["192.0.2.11"], ["fenced"], False),
        ([], [], True),
        ([], ["used"], False),
        ([], ["used", "fenced"], True),
    ],
)
def test_a_share_is_neither_taken_from_guests_nor_led_past_a_fence(
    clients: list[str], said: list[str], is_good: bool
) -> None:
    tasks = yaml.safe_load((ROLES / "nfs_server" / "tasks" / "main.yml").read_text())
    (condition,) = (task["ansible.builtin.assert"]["that"] for task in tasks if "ansible.builtin.assert" in task)
    probe = {"stdout_lines": said}
    assert evaluate(condition, "nfs_server", nfs_server_clients=clients, __nfs_server_probe=probe) is is_good


@pytest.mark.parametrize(("image", "is_used"), [("web1/web1.img", True), ("", False)])
def test_files_of_other_shares_are_not_the_guests(image: str, is_used: bool, tmp_path: Path) -> None:
    share, client = tmp_path / "share", tmp_path / "nfsd" / "clients" / "3"
    for folder in (share / "web1", client):
        folder.mkdir(parents=True)
    if image:
        (share / image).touch()
    (client / "states").write_text("- 0x1: { type: open, access: rw }\n")
    script = yaml.safe_load((ROLES / "nfs_server" / "tasks" / "main.yml").read_text())[0]["ansible.builtin.raw"]
    given = {"nfs_server_packages": [], "nfs_server_export_path": str(share)}
    text = evaluate("script", "nfs_server", script=script, **given).replace("/proc/fs/nfsd", str(client.parents[1]))
    (tmp_path / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "systemctl").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=True).stdout
    assert ("used" in said.splitlines()) is is_used
