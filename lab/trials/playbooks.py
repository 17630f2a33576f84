"""Ansible runs: in, a playbook; out, its counts, from what the json callback prints."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from lab.errors import LabError
from lab.landscape import ROOT

_INVENTORY: Final = ROOT / "inventory" / "lab"
_LIMIT_S: Final = 2400


@dataclass(frozen=True)
class Counts:
    """How a playbook ended, over all hosts; `tasks` names what changed or failed."""

    changed: int
    failed: int
    unreachable: int
    tasks: tuple[str, ...]

    @property
    def broken(self) -> int:
        """Tasks that failed, and hosts that could not be reached."""
        return self.failed + self.unreachable


def counts(printed: str) -> Counts:
    """Read what the json callback printed. Raises ValueError where there is nothing of the kind."""
    said = json.loads(printed[printed.index("{") :])
    stats = said["stats"].values()
    tasks = [
        f"{host}: {task['task']['name']}: {'changed' if told.get('changed') else told.get('msg', 'failed')}"
        for play in said["plays"]
        for task in play["tasks"]
        for host, told in task["hosts"].items()
        if told.get("changed") or told.get("failed") or told.get("unreachable")
    ]
    return Counts(_total(stats, "changed"), _total(stats, "failures"), _total(stats, "unreachable"), tuple(tasks))


def play(playbook: str, log: Path, *words: str, mitogen: bool = True) -> Counts:
    """Run a playbook of this project on the lab; what it prints is in `log`. Raises LabError where it did not begin."""
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(_INVENTORY), playbook, *words]
    with log.open("w", encoding="utf-8") as out:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment(mitogen=mitogen),
            timeout=_LIMIT_S,
            check=False,
        )
    try:
        return counts(log.read_text(encoding="utf-8"))
    except (ValueError, KeyError) as error:
        raise LabError(f"{playbook} did not run to its end, see {log}") from error


def insist(playbook: str, log: Path, *words: str) -> None:
    """Run one that others rest on. Raises LabError where anything failed."""
    ran = play(playbook, log, *words)
    if ran.broken:
        raise LabError(f"{Path(playbook).name} failed, see {log}: {'; '.join(ran.tasks[:3])}")


def environment(*, mitogen: bool) -> dict[str, str]:
    """Ansible's environment; with Mitogen a task takes half the time on an emulated host."""
    told = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_FORCE_COLOR": "0"}
    told["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "json"
    if mitogen:
        told |= {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(_strategies())}
    return told


def _strategies() -> Path:
    found = find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise LabError("Mitogen is not installed: run `make setup`")
    return Path(found.origin).parent / "plugins" / "strategy"


def _total(stats: Any, name: str) -> int:
    return sum(host[name] for host in stats)
