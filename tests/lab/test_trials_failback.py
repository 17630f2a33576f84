from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lab.landscape import HOSTS, instance
from lab.trials import playbooks
from lab.trials.guest import Guest
from lab.trials.parts import PARTS, failback
from lab.trials.parts.failback import Step
from lab.trials.playbooks import Counts
from lab.trials.sightings import Answer, Frame
from lab.trials.site import Site, Watch

S = 10**9
BOOT = "0a1b2c3d"
LOOKED_NS = 6 * S
ON_A = [Frame("a", at * S // 20, 100 + at, BOOT) for at in range(40)]
ON_B = [Frame("b", (80 + at) * S // 20, 130 + at, BOOT) for at in range(60)]
"""From 4 s to 7 s."""
ANSWERS = [Answer(LOOKED_NS + 1, LOOKED_NS + 2, 150, BOOT)]


def step(name: str) -> Step:
    site = Site(instance(), Guest.declared())
    return next(step for step in failback.way(site, 3) if step.name == name)


def wrong(
    name: str, frames: Sequence[Frame], answers: Sequence[Answer], there: Mapping[str, Sequence[str]], folder: Path
) -> tuple[str, ...]:
    (folder / "wire.log").write_text("".join(frame.line() for frame in frames))
    (folder / "answers.log").write_text("".join(answer.line() for answer in answers))
    return failback.judge(step(name), "web1", Watch(folder), LOOKED_NS, there)


def test_the_way_comes_back_to_where_it_began_and_ends_on_the_other_side() -> None:
    *there_and_back, once_more = failback.way(Site(instance(), Guest.declared()), 3)
    assert [step.lives_on.name for step in there_and_back] == ["b", "b", "b", "b", "b", "a", "a", "a"]
    assert there_and_back[-1].is_protected
    assert once_more.lives_on is HOSTS["b"]


def test_in_ci_it_ends_where_it_has_come_home() -> None:
    whole = failback.way(Site(instance(), Guest.declared()), 3)
    assert PARTS["failback"].ci < 3 <= PARTS["failback"].full
    assert [step.name for step in failback.way(Site(instance(), Guest.declared()), 1)] == [s.name for s in whole[:6]]
    assert whole[5].lives_on is HOSTS["a"]


def test_site_is_run_while_the_dead_host_is_off_which_is_not_asked_then() -> None:
    off = [step.name for step in failback.way(Site(instance(), Guest.declared()), 3) if step.asked() == (HOSTS["b"],)]
    assert off == ["failover", "site_while_off"]
    assert step("return").asked() == (HOSTS["b"], HOSTS["a"])


def test_one_copy_that_moved_is_as_it_should_be(tmp_path: Path) -> None:
    assert wrong("failover", [*ON_A, *ON_B], ANSWERS, {"b": ["web1"]}, tmp_path) == ()
    assert wrong("return", [*ON_A, *ON_B], ANSWERS, {"a": [], "b": ["web1"]}, tmp_path) == ()
    protected = {"a": ["web1--incoming"], "b": ["web1"]}
    assert wrong("reprotect", ON_B, ANSWERS, protected, tmp_path) == ()


@pytest.mark.parametrize(
    ("frames", "answers", "there", "told"),
    [
        ([*ON_A, *ON_B], ANSWERS, {"a": ["web1"], "b": ["web1"]}, "there are"),
        ([*ON_A, *ON_B], ANSWERS, {"a": ["web1--incoming"], "b": ["web1"]}, "there are"),
        ([*ON_A, *ON_B, Frame("a", 5 * S, 141, BOOT)], ANSWERS, {"a": [], "b": ["web1"]}, "side by side"),
        ([*ON_A, *ON_B, Frame("b", 7 * S, 131, BOOT)], ANSWERS, {"a": [], "b": ["web1"]}, "steps back"),
        (ON_A, ANSWERS, {"a": [], "b": ["web1"]}, "heard from"),
        ([*ON_A, *ON_B], [], {"a": [], "b": ["web1"]}, "does not answer"),
    ],
)
def test_what_is_wrong_is_named(
    frames: Sequence[Frame],
    answers: Sequence[Answer],
    there: Mapping[str, Sequence[str]],
    told: str,
    tmp_path: Path,
) -> None:
    found = wrong("return", frames, answers, there, tmp_path)
    assert len(found) == 1
    assert told in found[0]


NOT_REACHED = "a: Fetch the lists where there are none: Failed to connect to the host via ssh"
SILENT = "b: act : Refuse what must not be done: ['a did not answer, so whether web1 is there ... (it does on b)']"


@pytest.mark.parametrize(
    ("counts", "is_refusal"),
    [
        (Counts(0, 1, 1, (NOT_REACHED, SILENT)), True),
        (Counts(0, 0, 2, (NOT_REACHED, "b: xen_host : Look at the host: failed")), False),
        (Counts(0, 1, 1, (NOT_REACHED, "b: xen_host : Refuse: reachability: a cannot be reached from here")), False),
        (Counts(1, 0, 1, (NOT_REACHED, "b: guest : Start the guest: changed")), False),
        (Counts(0, 2, 1, (NOT_REACHED, "f: etcd : Make the users: failed", SILENT)), False),
        (Counts(0, 1, 0, (SILENT,)), False),
    ],
)
def test_site_refuses_one_thing_and_says_who_is_off_and_where_the_guest_is(counts: Counts, *, is_refusal: bool) -> None:
    found = failback.refusal(counts, "a did not answer", "it does on b", off=1)
    assert (found == "") is is_refusal


@pytest.fixture
def playing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Counts], list[tuple[str, ...]]]:
    """Has each playbook end as given; what is played from then on."""

    def begin(counts: Counts) -> list[tuple[str, ...]]:
        played: list[tuple[str, ...]] = []

        def play(playbook: str, _: Path, *words: str) -> Counts:
            played.append((playbook, *words))
            return counts

        monkeypatch.setattr(playbooks, "play", play)
        return played

    return begin


@pytest.mark.parametrize(
    ("name", "found", "told"),
    [
        ("maintenance", "yes\n", ""),
        ("maintenance", "", "it would still take copies"),
        ("over", "", ""),
        ("over", "yes\n", "it takes no copies"),
    ],
)
def test_a_host_in_maintenance_takes_no_copies_until_that_is_over(
    name: str,
    found: str,
    told: str,
    playing: Callable[[Counts], list[tuple[str, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = playing(Counts(1, 0, 0, ()))
    monkeypatch.setattr(Site, "run", lambda *_: found)
    assert step(name).act(Site(instance(), Guest.declared()), Path()) == told
    over = ("-e", "over=true") if name == "over" else ()
    assert played == [("playbooks/maintenance.yml", "-e", "host=b", *over)]


@pytest.mark.parametrize("name", ["reprotect", "maintenance", "over", "protect", "drill"])
def test_an_act_that_fails_says_why(name: str, playing: Callable[[Counts], list[tuple[str, ...]]]) -> None:
    refused = "b: act : Refuse what must not be done: ['web1 lives on b and is not protected']"
    playing(Counts(0, 1, 0, (refused,)))
    assert step(name).act(Site(instance(), Guest.declared()), Path(name)) == refused
