from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab import remote
from lab.trials import base, freeze, playbooks, secrecy
from lab.trials.part import Turn
from lab.trials.parts.converge import CONVERGE
from lab.trials.playbooks import Counts
from lab.trials.site import Site

SECRET = "Uieph5aiNgohQu4aeph8Ochu6ahxo3Oo"


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What site.yml is called with; its log has the secret."""
    called: list[tuple[str, ...]] = []

    def play(_: str, log: Path, *words: str, **__: bool) -> Counts:
        called.append(words)
        log.write_text(f'{{"diff": "{SECRET}"}}')
        return Counts(0, 0, 0, ())

    monkeypatch.setattr(playbooks, "play", play)
    for module, name in ((base, "prepare"), (freeze, "forget"), (freeze, "freeze"), (remote, "set_clocks")):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(secrecy, "known", lambda _: {"influxdb-token": SECRET, "grafana-key": "another"})
    return called


@pytest.mark.parametrize("number", range(1, CONVERGE.ci + 1))
def test_a_run_that_tells_a_secret_is_at_fault_and_does_not_tell_it_again(
    number: int, tmp_path: Path, words: list[Any]
) -> None:
    with CONVERGE.session(cast("Site", SimpleNamespace(lab=None))) as trial:
        outcome = trial(Turn(number, Random(1), tmp_path))
    assert outcome.faults == (f"{tmp_path / 'ansible.json'} has secrets: influxdb-token",)
    assert words == [("--check", "--diff") if outcome.measured["case"] == "check" else ()]
