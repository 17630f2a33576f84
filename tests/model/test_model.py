"""The model, checked exhaustively: sound as it is, unsound without any of its parts, and not sound for want of life."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.model.spin import MODEL, search

FORGETS: Final = "broken: the guest forgets what clients have seen"
OLD_WRITES: Final = "broken: writes of an old copy reach the disk"
PART: Final = "broken: runs from a part of a copy"
TWO_HISTORIES: Final = "broken: two histories are seen"
WITHOUT_DISK: Final = "broken: runs without the disk"
WITHOUT_LEASE: Final = "broken: runs without the lease"

TAKEN_AWAY: Final[Mapping[str, str]] = {
    "GATE": WITHOUT_LEASE,
    "MARGIN": WITHOUT_LEASE,
    "FROM_SENDING": WITHOUT_LEASE,
    "MINDER": WITHOUT_LEASE,
    "EPOCH": WITHOUT_DISK,
    "FENCE": OLD_WRITES,
    "FENCE_FIRST": WITHOUT_DISK,
    "FENCE_LASTS": WITHOUT_DISK,
    "DRAIN": OLD_WRITES,
    "RECORD": PART,
    "ALONE_FIRST": FORGETS,
    "FRESH": PART,
    "BURN": FORGETS,
    "PAUSE_FIRST": WITHOUT_LEASE,
    "DEAD_EPOCH": WITHOUT_LEASE,
    "START_ASKS": TWO_HISTORIES,
}
"""By part: the shortest counterexample's end."""

STORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "B takes over when A has lost power": ("has_backup && in_time(A)", "copy[A] == NONE && holder == A", "in_time(B)"),
    "A, cut off, pauses; B takes over; A destroys its copy": (
        "in_time(A) && has_backup",
        "up(A) && copy[A] == PAUSED && mine[A] != 0 && in_time(B)",
        "up(A) && copy[A] == NONE && in_time(B)",
    ),
    "A pauses and goes on under the same epoch": (
        "in_time(A)",
        "copy[A] == PAUSED && holder == A && mine[A] != 0",
        "in_time(A)",
    ),
    "A's lease ends, and A goes on under a new one": (
        "in_time(A)",
        "copy[A] == PAUSED && holder == NOBODY",
        "in_time(A) && holder == A",
    ),
    "B holds the lease, does not reach the fence, and A goes on": (
        "has_backup && copy[A] == PAUSED && holder == B && !fenced[B]",
        "in_time(A)",
    ),
    "A, frozen, goes on beside B for an instant": ("up(A) && copy[A] == RUNS && in_time(B)",),
    "B is lost and A goes on alone": ("has_backup", "copy[B] == NONE", "in_time(A) && output[A] == OPEN"),
    "A's guest, protected, lives on B and is protected by A": (
        "has_backup && runner == A",
        "has_backup && runner == B",
    ),
    "both hosts lose power and the guest is started anew": (
        "in_time(A)",
        "copy[A] == NONE && copy[B] == NONE",
        "in_time(A)",
    ),
    "A's call to the fence comes when B owns the disk": ("late[A] == FENCE_CALL && in_time(B)",),
}
"""By what happens: the conditions that come true on the way."""


def test_there_is_one_live_copy_always_and_one_again_when_faults_end(tmp_path: Path) -> None:
    found = search(tmp_path, "FAULTS_END", is_shortest=False, is_lasting=True)
    assert found.counterexample is None
    assert found.is_exhaustive
    assert found.states > 1_000_000


def test_without_held_output_a_copy_is_seen_beside_the_guest_only_in_the_instant_after_a_freeze(tmp_path: Path) -> None:
    found = search(tmp_path, "HOLD=0", is_shortest=False)
    assert found.counterexample is None
    assert found.is_exhaustive


def test_without_held_output_that_instant_can_be_seen(tmp_path: Path) -> None:
    found = search(tmp_path, "HOLD=0", story=["is_seen(A) && runner == B"])
    assert found.counterexample is not None
    assert "A goes on" in found.counterexample


@pytest.mark.parametrize("part", TAKEN_AWAY)
def test_each_part_is_needed(part: str, tmp_path: Path) -> None:
    found = search(tmp_path, f"{part}=0")
    assert found.counterexample is not None
    assert found.counterexample[-1] == TAKEN_AWAY[part]


def test_every_part_is_taken_away_and_explained() -> None:
    parts = re.findall(r"^#ifndef (\w+)$", (MODEL.parent / "parts.pml").read_text(encoding="ascii"), re.MULTILINE)
    assert set(parts) == {*TAKEN_AWAY, "HOLD"}
    explained = re.findall(
        r"^\| `([A-Z_]+)` \|", (MODEL.parent / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert explained == list(TAKEN_AWAY)


@pytest.mark.parametrize("name", STORIES)
def test_the_model_lives(name: str, tmp_path: Path) -> None:
    assert search(tmp_path, story=STORIES[name]).counterexample is not None


def test_the_guest_does_not_run_again_sooner_than_a_lease_can_end(tmp_path: Path) -> None:
    found = search(tmp_path, "FAULTS_END", "BOUND=1")
    assert found.counterexample is not None
    assert found.counterexample[-1] == "broken: nobody runs the guest, and a host could"


def test_a_search_cut_short_proves_nothing(tmp_path: Path) -> None:
    assert not search(tmp_path, is_shortest=False, deepest=30).is_exhaustive


def test_a_missing_tool_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="spin is not installed; `make test` installs it"):
        search(tmp_path)
