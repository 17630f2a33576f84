import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab import network, remote
from lab.errors import LabError
from lab.landscape import HOSTS, Host
from lab.trials import troubles
from lab.trials.guest import Guest
from lab.trials.site import Site
from lab.trials.troubles import KINDS, Cuts, Trouble, strike


class Lab:
    """A site that notes what is done to it; commands that hold `fails` fail, others print `prints`."""

    def __init__(self, fails: str = "nothing", prints: str = "") -> None:
        self.lab, self.guest, self._fails, self._prints = SimpleNamespace(), Guest.declared(), fails, prints
        self.done: list[str] = []
        self.is_on = True

    def run(self, host: Host, command: str, _: float = 0) -> str:
        if self._fails in command:
            raise LabError(f"{host.name}: no such process")
        self.done.append(f"{host.name}: {command}")
        return self._prints

    def has_power(self, _: Host) -> bool:
        return self.is_on

    def cut_power(self, host: Host) -> int:
        self.done.append(f"{host.name}: off")
        return 0


@pytest.fixture
def cut_now(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which cuts are in force."""
    now: list[str] = []
    monkeypatch.setattr(network, "cut", lambda _, one, other, one_way: now.append(f"{one.name}>{other.name}"))
    monkeypatch.setattr(network, "heal", lambda _: now.clear())
    return now


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_strikes_and_ends(kind: str, cut_now: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lab, machines = Lab(), list[str]()
    monkeypatch.setattr(troubles, "_tell", lambda _, host, word: machines.append(f"{host.name}: {word}"))
    monkeypatch.setattr(troubles, "_signal", lambda _, host, number: machines.append(f"{host.name}: {number.name}"))
    seen: list[str] = []
    monkeypatch.setattr(time, "sleep", lambda _: seen.extend(cut_now))
    (struck,) = strike(cast("Site", lab), (Trouble(kind, 0, 1),))
    assert (struck.kind, struck.missed) == (kind, "")
    assert lab.done or machines or seen
    assert not cut_now
    stopped = [word for word in lab.done if "systemctl stop " in word and "no-block" not in word]
    assert [word.replace("stop", "start") for word in stopped] == [word for word in lab.done if "start " in word]
    if machines and not kind.startswith("reset"):
        assert [word.split()[1] for word in machines] in (["stop", "cont"], ["SIGSTOP", "SIGCONT"])


def test_a_cut_ends_without_the_others(cut_now: list[str]) -> None:
    cuts = Cuts(cast("Site", Lab()))
    heal_one = cuts.add((("a", "b"), ("b", "a")))
    heal_other = cuts.add((("a", "b"), ("a", "f")))
    assert cut_now == ["a>b", "b>a", "a>b", "a>f"]
    heal_one()
    assert sorted(cut_now) == ["a>b", "a>f"]
    heal_other()
    assert cut_now == []


def test_a_trouble_that_cannot_strike_says_why(tmp_path: Path) -> None:
    lab = Lab(fails="hefery-guard")
    struck = strike(cast("Site", lab), (Trouble("kill guard a", 0, 0), Trouble("power off b", 0, 0)))
    assert [one.missed for one in struck] == ["a: no such process", ""]
    assert lab.done == ["b: off"]


def test_only_a_host_without_power_has_lost_its_memory() -> None:
    lost: Any = {kind: Trouble(kind, 0, 0).lost for kind in KINDS}
    assert {kind: host for kind, host in lost.items() if host} == {
        "reset a": "a",
        "reset b": "b",
        "power off a": "a",
        "power off b": "b",
        "reboot a": "a",
        "reboot b": "b",
        "shut down a": "a",
        "shut down b": "b",
    }


@pytest.mark.parametrize(("kind", "verb"), [("reboot b", "reboot"), ("shut down b", "poweroff")])
def test_a_host_is_shut_down_in_good_order(kind: str, verb: str) -> None:
    lab = Lab()
    (struck,) = strike(cast("Site", lab), (Trouble(kind, 0, 0),))
    assert struck.missed == ""
    assert [word.partition(" ||")[0] for word in lab.done] == [
        "b: touch /run/hefery-trial-ends",
        f"b: systemctl --no-block {verb}",
    ]


@pytest.mark.parametrize(
    ("lab", "missed"),
    [
        (Lab(fails="systemctl"), ""),  # the connection ends with the host
        (Lab(fails="touch"), "b: no such process"),
        (Lab(prints="refused\n"), "b: systemctl reboot was refused"),
    ],
)
def test_a_host_that_goes_cannot_answer_and_one_that_is_gone_was_missed(lab: Lab, missed: str) -> None:
    (struck,) = strike(cast("Site", lab), (Trouble("reboot b", 0, 0),))
    assert struck.missed == missed


@pytest.mark.parametrize(
    ("lab", "answers", "is_on", "is_over"),
    [
        (Lab(prints="/run/hefery-trial-ends\n"), True, True, False),  # it has not gone down yet
        (Lab(), False, True, False),
        (Lab(fails="/run/hefery-trial-ends"), True, True, False),
        (Lab(), True, True, True),
        (Lab(), False, False, True),
    ],
)
def test_a_host_has_lost_its_memory_once_it_is_off_or_has_booted_anew(
    lab: Lab, *, answers: bool, is_on: bool, is_over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.is_on = is_on
    monkeypatch.setattr(remote, "answers", lambda *_: answers)
    assert troubles.is_over(cast("Site", lab), HOSTS["b"]) is is_over
