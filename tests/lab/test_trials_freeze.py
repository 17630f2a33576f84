import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab import actions
from lab.errors import LabError
from lab.trials import evidence, freeze, playbooks
from lab.trials.guest import Guest
from lab.trials.playbooks import Counts
from lab.trials.site import Site

LISTED = "Name ID Mem VCPUs State Time(s)\nweb1 1 128 1 {} 43.3\n"


class Lab:
    """A pair whose guest has the states in turn, each time it is looked at; notes what is done to it."""

    def __init__(self, folder: Path, states: list[str]) -> None:
        self.lab, self.guest = SimpleNamespace(state=folder), Guest.declared()
        self._states = states
        self.done: list[str] = []

    def run(self, _: object, command: str, timeout_s: float = 0) -> str:
        if command.startswith("xl list"):
            return LISTED.format(self._states.pop(0))
        is_start = "hefery-remus start" in command or "xl create" in command
        self.done.append("create" if is_start else command.split(maxsplit=1)[0])
        return ""

    def copies(self, _: object) -> dict[str, list[str]]:
        return {"b": ["web1--incoming"]}

    def has_backup(self) -> bool:
        return True

    def has_lease(self) -> bool:
        return True


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Freezes such a lab: its file names and snapshots."""

    def of(lab: Lab) -> list[str]:
        monkeypatch.setattr(actions, "snapshot", lambda _, name: lab.done.append(name))
        monkeypatch.setattr(actions, "restore", lambda *_: None)
        monkeypatch.setattr(evidence, "collect", lambda *_: lab.done.append("evidence"))
        monkeypatch.setattr(time, "sleep", lambda _: None)
        monkeypatch.setattr(playbooks, "play", lambda *_: Counts(0, 0, 0, ()))
        freeze.freeze(cast("Site", lab))
        return [word for word in lab.done if word in {"protected", "probed", "unprotected", "create", "evidence"}]

    return of


def test_a_guest_that_crashes_meanwhile_is_made_anew(tmp_path: Path, frozen: Any, capsys: Any) -> None:
    lab = Lab(tmp_path, ["---sc-", "---sc-", "r-----"])
    assert frozen(lab) == ["protected", "probed", "evidence", "create", "protected", "probed", "unprotected"]
    assert "web1 HAS CRASHED" in "".join(capsys.readouterr())
    assert freeze.is_frozen(cast("Site", lab))


def test_one_that_crashes_each_time_is_no_landscape_to_try(tmp_path: Path, frozen: Any) -> None:
    lab = Lab(tmp_path, ["---sc-"] * 6)
    with pytest.raises(LabError, match="each time"):
        frozen(lab)
    assert not freeze.is_frozen(cast("Site", lab))
