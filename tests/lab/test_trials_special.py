from pathlib import Path

import pytest

from lab import actions
from lab.landscape import Instance, instance
from lab.trials import special


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    done: list[Instance] = []
    monkeypatch.setattr(actions, "forget", done.append)
    monkeypatch.setattr(actions, "up", lambda lab: lab.state.mkdir(parents=True))
    return done


def test_a_landscape_is_of_a_kind_once_it_has_become_so_by_this_commit(
    tmp_path: Path, forgotten: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = instance({}, tmp_path)
    assert not special.is_made(lab, "heartbeat")
    special.begin(lab, "heartbeat")
    assert not special.is_made(lab, "heartbeat")
    special.finish(lab, "heartbeat")
    assert special.is_made(lab, "heartbeat")
    assert not special.is_made(lab, "tomcat")
    monkeypatch.setattr(special, "commit", lambda: "another")
    assert not special.is_made(lab, "heartbeat")


def test_who_wants_the_inventorys_gets_fresh_hosts_where_it_is_another(
    tmp_path: Path, forgotten: list[Instance]
) -> None:
    """Also where it has not become what it was to be."""
    lab = instance({}, tmp_path)
    special.leave(lab)
    assert forgotten == []
    special.begin(lab, "tomcat")
    forgotten.clear()
    special.leave(lab)
    assert forgotten == [lab]
