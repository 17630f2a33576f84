import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from lab.errors import LabError
from lab.landscape import Host
from lab.trials import histories, troubles
from lab.trials.guest import Guest
from lab.trials.part import Outcome, Turn
from lab.trials.parts import PARTS, one_live_copy
from lab.trials.parts.one_live_copy import Case, Seen, _not_excused, judge, meet
from lab.trials.report import Row
from lab.trials.reports import Told
from lab.trials.sightings import Answer, Frame, Write
from lab.trials.site import Site, Watch
from lab.trials.troubles import KINDS, Struck, Trouble
from telemetry.units import NS_PER_S

PART = PARTS["one_live_copy"]


def case(number: int, seed: int = 1) -> Case:
    return Case.draw(Turn(number, Random(f"{seed} one_live_copy {number}"), Path()))


def test_every_kind_is_met_alone_and_every_third_trial_meets_two() -> None:
    cases = [case(number) for number in range(1, PART.full + 1)]
    assert {one.name for one in cases} == {*KINDS, "pairs"}
    assert [len(one.troubles) for one in cases[:6]] == [1, 1, 2, 1, 1, 2]
    assert {one.phase for one in cases} == {"protected", "first copy", "hand-over"}


@pytest.mark.parametrize(
    ("kind", "heard_at_s", "is_second"),
    [
        ("freeze a", 31.5, False),
        ("stall a", 30.0, False),
        ("stall a", 32.5, True),
        ("stall a", 20.0, True),
        ("freeze b", 31.5, True),
        ("cut a-b", 31.5, True),
    ],
)
def test_a_primary_that_stood_still_may_be_heard_until_its_guards_next_step(
    kind: str, heard_at_s: float, *, is_second: bool
) -> None:
    """The copy on b was heard from 5 s on; the trouble ended at 30 s."""
    late = Frame("a", int(heard_at_s * NS_PER_S))
    frames = [Frame("a", 0), Frame("b", 5 * NS_PER_S), late, Frame("b", 40 * NS_PER_S)]
    left = _not_excused(frames, "a", [Struck(kind, 0, 30 * NS_PER_S)])
    assert (histories.overlap_s(left) > 0) is is_second


class Takeover:
    """Logs of a trial in which a is cut off for 30 s from 10 s on, and b goes on 5 s later."""

    def __init__(self) -> None:
        self.frames = [Frame("a" if s < 10 else "b", s * NS_PER_S, s, "boot") for s in range(61) if not 10 <= s < 15]
        tenths = [tenth for tenth in range(610) if not 100 <= tenth < 150]
        self.writes = [Write("a" if tenth < 100 else "b", tenth * NS_PER_S // 10) for tenth in tenths]
        self.answers = [Answer(f.time_ns, f.time_ns + 1, f.time_ns // NS_PER_S, "boot") for f in self.frames]
        self.case = Case("protected", 25, 1.0, (Trouble("cut a-all", 0, 30),))
        self.seen = Seen(
            [Struck("cut a-all", 10 * NS_PER_S, 40 * NS_PER_S)],
            alone_ns=10 * NS_PER_S,
            began_ns=10 * NS_PER_S,
            settled_ns=50 * NS_PER_S,
            moment="between",
            running=["b"],
            is_up=True,
            started="",
        )

    def outcome(self, folder: Path) -> Outcome:
        logs: dict[str, Sequence[Answer | Frame | Write]] = {
            "wire": self.frames,
            "writes": self.writes,
            "answers": self.answers,
        }
        for name, log in logs.items():
            (folder / f"{name}.log").write_text("".join(one.line() for one in log), encoding="ascii")
        return judge("a", self.case, Watch(folder), self.seen)


def test_a_takeover_in_good_order_is_no_fault(tmp_path: Path) -> None:
    outcome = Takeover().outcome(tmp_path)
    assert outcome.faults == ()
    assert outcome.measured["without_answer_s"] == pytest.approx(5, abs=0.01)
    assert outcome.measured["writers"] == ["a", "b"]
    assert outcome.measured["writes_per_s"] == 10


def also_heard_from_a(trial: Takeover) -> None:
    trial.frames.append(Frame("a", 45 * NS_PER_S))


def also_written_by_a(trial: Takeover) -> None:
    trial.writes.append(Write("a", 20 * NS_PER_S))


def wrote_rarely(trial: Takeover) -> None:
    """As a guest does that writes its log alone."""
    trial.writes = [write for write in trial.writes if write.time_ns % NS_PER_S == 0]


def counted_back(trial: Takeover) -> None:
    trial.frames.append(Frame("b", 61 * NS_PER_S, 55, "boot"))


def booted_anew(trial: Takeover) -> None:
    trial.frames.append(Frame("b", 61 * NS_PER_S, 70, "another"))


def runs_on_both(trial: Takeover) -> None:
    trial.seen = replace(trial.seen, running=["a", "b"])


def never_answered(trial: Takeover) -> None:
    trial.seen = replace(trial.seen, is_up=False)


def answered_late(trial: Takeover) -> None:
    trial.answers = [answer for answer in trial.answers if not 10 <= answer.asked_ns / NS_PER_S < 41]


def is_mute(trial: Takeover) -> None:
    trial.frames = [frame for frame in trial.frames if frame.time_ns < trial.seen.settled_ns]


@pytest.mark.parametrize(
    ("goes_wrong", "says", "counts_as"),
    [
        (also_heard_from_a, "heard side by side for 30.00 s", ("two_histories", True)),
        (also_written_by_a, "wrote side by side for 5.00 s", ("two_writers", True)),
        (wrote_rarely, "could not judge who writes: 3 times in 3 s", ("two_writers", False)),
        (counted_back, "['b'] have counted backwards", ("two_histories", True)),
        (booted_anew, "['b'] have counted backwards", ("two_histories", True)),
        (runs_on_both, "runs on ['a', 'b']", ("up_again", False)),
        (never_answered, "did not answer", ("up_again", False)),
        (answered_late, "nobody was up 20 s after", ("up_again", True)),
        (is_mute, "heard from []", ("up_again", False)),
    ],
)
def test_whatever_goes_wrong_is_a_fault_and_counts(
    tmp_path: Path, goes_wrong: Callable[[Takeover], None], says: str, counts_as: tuple[str, bool]
) -> None:
    trial = Takeover()
    goes_wrong(trial)
    outcome = trial.outcome(tmp_path)
    assert [says in fault for fault in outcome.faults] == [True]
    name, value = counts_as
    assert outcome.measured[name] is value


class Pair:
    """A site that notes what is done, each act a second after the other."""

    def __init__(self) -> None:
        self.guest, self.lab, self.probe = Guest.declared(), SimpleNamespace(), self
        self.told: list[Told] = []
        self.done: list[str] = []
        self.on = "ab"

    def has_power(self, host: Host) -> bool:
        return host.name in self.on

    def switch_on(self) -> None:
        self.on = "ab"

    def note(self, act: str) -> None:
        self.done.append(act)

    def now_ns(self) -> int:
        return len(self.done) * NS_PER_S

    @contextmanager
    def watching(self, folder: Path) -> Iterator[Watch]:
        yield Watch(folder)

    @contextmanager
    def watching_disk(self, _: Path) -> Iterator[None]:
        yield

    @contextmanager
    def probing(self, _: Path) -> Iterator["Pair"]:
        yield self

    def load(self, query: str) -> None:
        self.note(f"load {query}")

    def run(self, _: Host, command: str) -> str:
        self.note(command)
        return ""

    def order(self, _: int) -> None:
        self.note("order")

    def commits_come(self, *_: object) -> None:
        self.note("commits")

    def both(self) -> tuple[Host, Host]:
        return self.guest.primary, self.guest.backup

    def copies(self, _: tuple[Host, ...]) -> dict[str, list[str]]:
        return {"b": [self.guest.name]}


@pytest.mark.parametrize(
    ("phase", "acts", "alone"),
    [
        ("protected", ["order", "commits", "wait 1"], 5),
        ("first copy", ["systemctl start --no-block remus@web1.service", "wait 1"], 4),
        ("hand-over", ["order", "commits", "systemd-run --no-block hefery-remus hand-over --domain web1", "wait 1"], 4),
    ],
)
def test_the_guest_writes_before_anything_goes_wrong(
    phase: str, acts: list[str], alone: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pair, seen = Pair(), list[Seen]()

    def strike(*_: object) -> list[Struck]:
        pair.note("strike")
        return [Struck("cut a-b", 0, 0)]

    def noted(_: str, __: Case, ___: Watch, found: Seen) -> Outcome:
        seen.append(found)
        return Outcome()

    monkeypatch.setattr(time, "sleep", lambda s: pair.note(f"wait {s:g}"))
    monkeypatch.setattr(time, "time_ns", pair.now_ns)
    monkeypatch.setattr(troubles, "strike", strike)
    monkeypatch.setattr(one_live_copy, "_is_up", lambda *_: True)
    monkeypatch.setattr(one_live_copy, "judge", noted)
    meet(cast("Site", pair), Turn(1, Random(1), tmp_path), Case(phase, 25, 1.0, (Trouble("cut a-b", 0, 1),)))
    load = "load writes_per_s=10&megabytes=1&seconds=3600"
    assert pair.done == [load, "wait 3", *acts, "strike", "wait 5"]
    assert seen[0].alone_ns == alone * NS_PER_S


def test_a_guest_that_is_being_handed_over_has_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for twice before the wait, and once after it."""
    looks, times_ns = iter([["a"], ["a"], [], ["b"], ["b"], ["b"]]), iter([1, 2])
    monkeypatch.setattr(one_live_copy, "_running", lambda *_: next(looks))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(time, "time_ns", lambda: next(times_ns))
    assert one_live_copy._settled(cast("Site", None), "ab") == (2, ["b"])


def test_the_few_trials_of_a_plain_run_meet_all_sorts() -> None:
    met = {trouble.kind.split()[0] for number in range(1, PART.ci + 1) for trouble in case(number).troubles}
    assert met == {kind.split()[0] for kind in KINDS}


def test_a_trial_is_the_same_again_and_another_seed_is_another() -> None:
    assert case(7) == case(7)
    assert case(7) != case(7, seed=2)


def test_a_copy_is_lost_for_good_only_with_its_host() -> None:
    cases = [case(number) for number in range(1, PART.full + 1)]
    ended = [one for one in cases if one.may_end_it]
    assert ended
    assert all(any(trouble.lost for trouble in one.troubles) for one in ended)
    assert not any(one.may_end_it for one in cases if one.phase == "protected" and len(one.troubles) == 1)


@pytest.mark.parametrize(
    ("kinds", "missed", "on", "asked", "have_power"),
    [
        (["cut a-b"], [""], "ab", [], "ab"),
        (["reboot a"], [""], "ab", ["a"], "ab"),
        (["shut down a"], [""], "b", ["a"], "b"),
        (["power off b", "reset a"], ["", ""], "a", ["a", "b"], "a"),
        (["power off b", "reboot b"], ["", "b: no route"], "a", ["b"], "a"),
        (["reboot b"], ["systemctl was refused"], "ab", [], "ab"),
        (["power off b", "shut down a"], ["", ""], "", ["a", "b"], "ab"),  # somebody switches them on again
    ],
)
def test_who_has_power_is_seen_once_all_that_lost_it_are_back_or_off(
    kinds: list[str], missed: list[str], on: str, asked: list[str], *, have_power: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []

    def is_over(_: Site, host: Host) -> bool:
        waited.append(host.name)
        return True

    monkeypatch.setattr(troubles, "is_over", is_over)
    pair = Pair()
    pair.on = on
    struck = [Struck(kind, 0, 0, why) for kind, why in zip(kinds, missed, strict=True)]
    drawn = Case("protected", 25, 1.0, tuple(Trouble(kind, 0, 1) for kind in kinds))
    assert one_live_copy._booted(cast("Site", pair), drawn, struck) == list(have_power)
    assert waited == asked


def test_a_host_that_does_not_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_live_copy, "wait", lambda *_, **__: False)
    drawn = Case("protected", 25, 1.0, (Trouble("shut down a", 0, 1),))
    with pytest.raises(LabError, match="a has neither booted anew nor gone off"):
        one_live_copy._booted(cast("Site", Pair()), drawn, [Struck("shut down a", 0, 0)])


def row(number: int, kind: str, without_s: float, **measured: bool) -> Row:
    fine = {"two_histories": False, "two_writers": False, "up_again": True}
    wrong = ("wrong",) if measured else ()
    return Row(number, wrong, 1.0, {"kind": kind, "without_answer_s": without_s, **fine, **measured})


def test_the_report_tells_of_all_and_of_each_kind() -> None:
    rows = [
        row(1, "cut a-b", 3.0),
        row(2, "cut a-b", 5.0, two_histories=True, two_writers=True),
        row(3, "pairs", 9.0, up_again=False),
        Row(4, ("could not be made",), 1.0, {}),
    ]
    said = PART.summary(rows)
    assert {key: said[key] for key in said if key != "kinds"} == {
        "trials": 4,
        "two_histories": 1,
        "two_writers": 1,
        "not_up_again": 2,
    }
    assert said["kinds"]["cut a-b"] == {
        "trials": 2,
        "passed": 1,
        "without_answer_s_median": 4.0,
        "without_answer_s_worst": 5.0,
    }
    assert said["kinds"]["not made"]["without_answer_s_worst"] is None
