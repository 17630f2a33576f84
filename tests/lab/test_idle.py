from pathlib import Path

import pytest

from lab import idle, network
from lab.errors import LabError


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """Two labs, and what trials leave beside them."""
    for name in ("lab", "two", "trials-of-a-very-long-name"):
        (tmp_path / name).mkdir()
    (tmp_path / "report.json").touch()
    return tmp_path


def test_folder_may_go_where_no_lab_of_it_is_up(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "exists", lambda lab: lab.name == "another")
    idle.check(states)
    idle.check(states / "not there")


@pytest.mark.parametrize(
    ("up", "remedies"),
    [
        ({"lab"}, ["end it with `make lab-down` first"]),
        ({"two"}, ["end it with `HEFERY_LAB=two make lab-down` first"]),
        ({"lab", "two"}, ["end it with `make lab-down` first", "end it with `HEFERY_LAB=two make lab-down` first"]),
    ],
)
def test_labs_that_are_up_are_named_with_how_to_end_them(
    up: set[str], remedies: list[str], states: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "exists", lambda lab: lab.name in up)
    with pytest.raises(LabError) as raised:
        idle.check(states)
    assert str(raised.value).split("; ") == [
        f"{name} is up, with its files in {states / name}: {remedy}"
        for name, remedy in zip(sorted(up), remedies, strict=True)
    ]
