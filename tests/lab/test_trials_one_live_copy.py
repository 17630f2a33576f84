from pathlib import Path
from random import Random

import pytest

from lab.trials import histories
from lab.trials.part import Turn
from lab.trials.parts import PARTS
from lab.trials.parts.one_live_copy import Case, _not_excused
from lab.trials.report import Row
from lab.trials.sightings import Frame
from lab.trials.troubles import KINDS, Struck
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
