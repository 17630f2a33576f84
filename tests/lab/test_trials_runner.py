from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lab.errors import LabError
from lab.trials.part import Outcome, Part, Trial, Turn
from lab.trials.report import Report, Row, Run
from lab.trials.runner import Runner
from lab.trials.site import Site
from lab.trials.table import table

NO_SITE = cast("Site", None)  # no trial here looks at it


@dataclass
class Rig:
    """A part whose trials do what the test wants, and a runner."""

    folder: Path
    breaks: Sequence[int] = ()
    """Trials that cannot be made, as often as they are named."""
    fails: Sequence[int] = ()
    unprepared: bool = False
    sessions: int = 0
    made: list[int] = field(default_factory=list)
    saved: list[int] = field(default_factory=list)
    draws: dict[int, float] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.report = Report(Run("abc", 1, {}, ""))
        self.part = Part("cut", "cut", 5, 50, self.session, lambda rows: {"trials": len(rows)})

    @contextmanager
    def session(self, _: Site) -> Iterator[Trial]:
        self.sessions += 1
        if self.unprepared:
            raise LabError("the lab is down")
        yield self.trial

    def trial(self, turn: Turn) -> Outcome:
        self.made.append(turn.number)
        self.draws[turn.number] = turn.random.random()
        (turn.folder / "wire.log").touch()
        if self.made.count(turn.number) <= self.breaks.count(turn.number):
            raise LabError("a is down")
        return Outcome({"x": 1}, ("no answer",) if turn.number in self.fails else ())

    def run(self, count: int) -> None:
        save = lambda: self.saved.append(len(self.report.rows["cut"]))  # noqa: E731 - as short as a fake can be
        collect = lambda folder: self.collected.append(folder.name)  # noqa: E731 - the same
        Runner(NO_SITE, self.report, self.folder, save, collect).run(self.part, count)


def rows(rig: Rig) -> list[Row]:
    return rig.report.rows["cut"]


def test_every_trial_is_saved_as_soon_as_it_was_made(tmp_path: Path) -> None:
    rig = Rig(tmp_path, fails=[2])
    rig.run(3)
    assert rig.saved == [1, 2, 3]
    assert [row.faults for row in rows(rig)] == [(), ("no answer",), ()]
    assert rig.sessions == 1
    assert (tmp_path / "cut" / "3" / "wire.log").exists()


def test_what_the_hosts_say_is_collected_where_a_trial_failed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, fails=[2], breaks=[3, 3])
    rig.run(4)
    assert rig.collected == ["2", "3", "3"]


def test_trials_in_the_report_are_not_made_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.report.add("cut", Row(2, (), 1, {}))
    rig.run(3)
    assert rig.made == [1, 3]


def test_a_trial_has_its_own_random_numbers_whichever_others_are_made(tmp_path: Path) -> None:
    whole, part = Rig(tmp_path), Rig(tmp_path)
    whole.run(3)
    part.report.add("cut", Row(1, (), 1, {}))
    part.run(3)
    assert part.draws[3] == whole.draws[3]
    assert len(set(whole.draws.values())) == 3


NOT_MADE = "could not be made: LabError: a is down"


def test_a_trial_that_could_not_be_made_is_made_once_more_and_says_so(tmp_path: Path) -> None:
    rig = Rig(tmp_path, breaks=[2])
    rig.run(3)
    assert rig.made == [1, 2, 2, 3]
    assert rig.sessions == 2
    assert [row.at_first for row in rows(rig)] == ["", NOT_MADE, ""]
    assert not rig.part.failed(rows(rig), 3)
    assert (tmp_path / "cut" / "2-at-first" / "wire.log").exists()
    assert f"AGAIN  cut 2: {NOT_MADE}" in table([rig.part], {"cut": 3}, rig.report, tmp_path)


def test_one_that_cannot_be_made_twice_has_failed_and_the_others_are_made(tmp_path: Path) -> None:
    rig = Rig(tmp_path, breaks=[1, 1])
    rig.run(3)
    assert rig.sessions == 3
    assert [row.faults for row in rows(rig)] == [(NOT_MADE,), (), ()]


def test_a_site_that_cannot_be_prepared_twice_fails_the_part(tmp_path: Path) -> None:
    rig = Rig(tmp_path, unprepared=True)
    rig.run(3)
    assert (rig.sessions, len(rows(rig))) == (2, 1)
    assert rig.part.failed(rows(rig), 3)


def test_the_table_names_what_failed_and_where_the_evidence_is(tmp_path: Path) -> None:
    rig = Rig(tmp_path, fails=[2])
    rig.run(3)
    told = table([rig.part], {"cut": 4}, rig.report, tmp_path)
    assert "cut                        2/4" in told
    assert f"FAILED cut 2: no answer\n       logs: {tmp_path / 'cut' / '2'}" in told
    assert "FAILED cut: only 3 of 4 trials were made" in told
    assert "FAILED" not in table([rig.part], {"cut": 1}, _only_first(rig.report), tmp_path)


def _only_first(report: Report) -> Report:
    return Report(report.run, {"cut": report.rows["cut"][:1]})


def test_a_part_is_judged_by_all_its_trials_their_number_and_where_asked_for_their_times() -> None:
    rig = Part("p", "p", 5, 50, lambda _: cast("object", None), len, lambda r: ("slow",) if len(r) > 1 else ())  # type: ignore[arg-type, return-value]  # never entered
    passed, failed = Row(1, (), 1, {}), Row(2, ("x",), 1, {})
    assert not rig.failed([passed], 1)
    assert rig.failed([passed], 2)
    assert rig.failed([failed], 1)
    assert rig.goals([passed, passed]) == ("slow",)
    assert not rig.failed([passed, passed], 2)
    assert rig.failed([passed, passed], 2, strict=True)
    assert rig.count(full=False) == 5
    assert rig.count(full=True, wanted=3) == 3
