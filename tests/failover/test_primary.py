import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from failover import libxl, primary
from failover.libxl import LibxlError
from failover.primary import ActError

HEADER = "Name                                        ID   Mem VCPUs\tState\tTime(s)"


class Guest:
    """web1, as a stand-in for xl lists it: one state after the other, the last for ever."""

    def __init__(self, folder: Path) -> None:
        self._states, self.events = folder / "states", folder / "events"
        shown = f'[ $(wc -l <{self._states}) -gt 1 ] && sed -i 1d {self._states}; echo "web1 7 128 1 $state 1.0"'
        self._program(folder / "xl", f'echo "{HEADER}"; read -r state <{self._states} || exit 0; {shown}')
        self._program(folder / "hefery-agent", f'echo "$@" >>{self.events}')

    def shows(self, *states: str) -> None:
        self._states.write_text("".join(f"{state}\n" for state in states))

    def _program(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    return Guest(tmp_path)


@pytest.fixture
def resumes(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Have libxl's resume lead to a state; the numbers of those that it was asked to resume."""

    def lead_to(state: str) -> list[int]:
        asked: list[int] = []

        def resume(number: int) -> None:
            asked.append(number)
            guest.shows(state)

        monkeypatch.setattr(libxl, "resume", resume)
        return asked

    return lead_to


def told(guest: Guest) -> str:
    deadline_s = time.monotonic() + 10
    while not guest.events.exists() or not guest.events.read_text().endswith("\n"):
        assert time.monotonic() < deadline_s, "no event was told"
        time.sleep(0.01)
    return guest.events.read_text()


@pytest.mark.parametrize("state", ["r-----", "-b----", "------"])
def test_a_guest_that_runs_is_left_alone(guest: Guest, resumes: Callable[..., list[int]], state: str) -> None:
    asked = resumes("---sc-")
    guest.shows(state)
    assert primary.set_going("web1") == state
    assert asked == []


def test_a_guest_that_is_not_here(guest: Guest) -> None:
    guest.shows()
    assert primary.set_going("web1", watch_s=5.0) == "absent"


def test_a_suspended_guest_is_resumed(guest: Guest, resumes: Callable[..., list[int]]) -> None:
    asked = resumes("r-----")
    guest.shows("---ss-")
    assert primary.set_going("web1") == "r-----"
    assert asked == [7]


def test_a_guest_that_suspends_late_is_waited_for(guest: Guest, resumes: Callable[..., list[int]]) -> None:
    asked = resumes("-b----")
    guest.shows("r-----", "r-----", "---ss-")
    assert primary.set_going("web1", watch_s=5.0) == "-b----"
    assert asked == [7]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("---sc-", "has crashed: xl destroy web1"),
        ("---ss-", "hefery-remus settle --domain web1 tries again"),
        ("---s--", "has shut down"),
        ("--p---", "xl unpause web1"),
        ("----cd", "being destroyed"),
    ],
)
def test_a_guest_that_stands_still_after_all(
    guest: Guest, resumes: Callable[..., list[int]], after: str, words: str
) -> None:
    resumes(after)
    guest.shows("---ss-")
    with pytest.raises(ActError, match=f"web1 STANDS STILL .xl list: {after}.: .*{words}"):
        primary.set_going("web1")
    assert told(guest).startswith("event stands_still --domain web1 --text web1 STANDS STILL")


def test_a_guest_that_had_crashed_is_not_resumed(guest: Guest, resumes: Callable[..., list[int]]) -> None:
    asked = resumes("r-----")
    guest.shows("---sc-")
    with pytest.raises(ActError, match="has crashed"):
        primary.set_going("web1", watch_s=5.0)
    assert asked == []


def test_a_resume_that_fails_is_told(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    def resume(_: int) -> None:
        raise LibxlError("domain 7 cannot be resumed: no libxl")

    monkeypatch.setattr(libxl, "resume", resume)
    guest.shows("---ss-")
    with pytest.raises(LibxlError):
        primary.set_going("web1")
    assert "cannot be resumed: no libxl" in told(guest)
