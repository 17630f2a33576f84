"""The role fence: what it writes is what the command takes, and nothing of it is missing."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from fence.settings import load
from tests.ansible.rendering import evaluate, render

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles" / "fence"
INPUTS: dict[str, Any] = {
    **yaml.safe_load((ROLE / "defaults" / "main.yml").read_text()),
    "fence_hosts": {"a": "192.0.2.11", "b": "192.0.2.12"},
    "fence_guests": ["web1"],
    "role_path": str(ROLE),
}


def test_its_configuration_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "fence.json"
    path.write_text(json.dumps(evaluate("__fence_settings", "fence", **INPUTS)))
    settings = load(path)
    assert settings.hosts == INPUTS["fence_hosts"]
    assert settings.view("b", "web1") == Path("/srv/hefery-fence/b/web1")


def test_all_modules_are_installed() -> None:
    modules = evaluate("__fence_modules", "fence", **INPUTS)
    assert {Path(path).name for path in modules} == {path.name for path in (ROOT / "fence").glob("*.py")}


def test_the_command_needs_nothing_but_python(tmp_path: Path) -> None:
    (tmp_path / "lib").symlink_to(ROOT)
    command = tmp_path / "hefery-fence"
    command.write_text(render("lab", "f", "fence", "hefery-fence.j2", __fence_program_path=str(tmp_path / "lib")))
    words = [sys.executable, "-IS", str(command), "--settings", "/nowhere/fence.json", "check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "/nowhere/fence.json" in json.loads(done.stdout)["reason"]


def test_nothing_is_served_before_it_is_in_force() -> None:
    unit = render("lab", "f", "fence", "hefery-fence.service.j2", **INPUTS)
    assert "Before=nfs-server.service\n" in unit
    assert "RequiredBy=nfs-server.service\n" in unit
    assert "RequiresMountsFor=/srv/hefery /srv/hefery-fence\n" in unit


def test_another_guest_restarts_nothing_that_nfsd_needs() -> None:
    """It would be restarted, too, and all guests would wait for their disks until its grace time is over."""
    unit = render("lab", "f", "fence", "hefery-fence.service.j2", **INPUTS)
    marked, done, unmarked = re.findall(r"^ExecReload=(.*)$", unit, re.MULTILINE)
    assert done == "/usr/local/sbin/hefery-fence restore"
    # or it would not be tried again: a unit whose reload has failed is active
    probe, *_ = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())
    marker = marked.split()[-1]
    assert unmarked == f"/usr/bin/rm {marker}"
    assert "[ ! -e {{ __fence_unrestored_path }} ] && echo runs" in probe["ansible.builtin.raw"]
    assert marker == evaluate("__fence_unrestored_path", "fence", **INPUTS)
    (handler,) = yaml.safe_load((ROLE / "handlers" / "main.yml").read_text())
    assert handler["ansible.builtin.systemd_service"]["state"] == "reloaded"
