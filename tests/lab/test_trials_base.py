from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from lab import actions
from lab.trials import base, freeze, special
from lab.trials.part import Outcome, Session, Turn
from lab.trials.site import Site

NO_SITE = cast("Site", None)  # no trial here looks at it


@pytest.mark.parametrize(
    ("session", "order"),
    [(base.once, ["probed", "trial 1", "trial 2"]), (base.each_time, ["probed", "trial 1", "probed", "trial 2"])],
)
def test_pair_is_put_into_its_state_when_the_session_says(
    session: Callable[..., Session], order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def make(_: Site, turn: Turn) -> Outcome:
        done.append(f"trial {turn.number}")
        return Outcome({"number": turn.number})

    monkeypatch.setattr(base, "begin", lambda _, state: done.append(state))
    with session("probed", make)(NO_SITE) as trial:
        outcomes = [trial(Turn(number, Random(number), tmp_path)) for number in (1, 2)]
    assert done == order
    assert [outcome.measured["number"] for outcome in outcomes] == [1, 2]


@pytest.mark.parametrize("made_by", ["another", "this", None])
def test_another_commits_landscape_is_thrown_away(
    made_by: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What replicates and guards there would go on through site.yml, and be on trial in place of this commit's."""
    done: list[str] = []
    if made_by:
        (tmp_path / "commit").write_text(made_by)
    monkeypatch.setattr(base, "commit", lambda: "this")
    monkeypatch.setattr(freeze, "is_frozen", lambda _: False)
    monkeypatch.setattr(freeze, "converge", lambda _: done.append("site.yml"))
    monkeypatch.setattr(special, "leave", lambda _: None)
    for name in ("up", "forget"):
        monkeypatch.setattr(actions, name, lambda _, name=name: done.append(name))
    monkeypatch.setattr(actions, "restore", lambda _, name: done.append(name))
    base.begin(cast("Site", SimpleNamespace(lab=SimpleNamespace(state=tmp_path))), "unprotected")
    assert done == [*(["forget"] if made_by == "another" else []), "up", "site.yml", "unprotected"]
    assert (tmp_path / "commit").read_text() == "this"
