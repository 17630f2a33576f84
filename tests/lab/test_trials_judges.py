from dataclasses import replace
from pathlib import Path
from random import Random

from lab.trials.part import Turn
from lab.trials.parts import PARTS, judges
from lab.trials.parts.one_live_copy import Case
from lab.trials.troubles import FOR_ALL, NO_DISK
from tests.lab.test_trials_one_live_copy import Takeover, answered_late


def case(number: int) -> Case:
    return judges.drawn(Turn(number, Random(f"1 judges {number}"), Path()))


def test_each_etcd_is_missed_in_turn_by_a_guest_that_is_protected() -> None:
    cases = [case(number) for number in range(1, PARTS["judges"].full + 1)]
    kinds = [one.troubles[0].kind for one in cases]
    assert len(set(kinds)) == len(kinds)
    assert {"stop etcd", "stop etcd a", "stop etcd b", "power off a", "power off b"} <= set(kinds)
    assert {one.phase for one in cases} == {"protected"}


def test_one_etcd_that_is_missing_is_no_excuse_for_a_guest_that_is_not_up(tmp_path: Path) -> None:
    trial = Takeover()
    answered_late(trial)
    trouble = replace(trial.case.troubles[0], kind="stop etcd")
    struck = [replace(trial.seen.struck[0], kind="stop etcd")]
    trial.seen = replace(trial.seen, struck=struck)
    for for_all, is_excused in ((FOR_ALL, True), (NO_DISK, False)):
        trial.case = replace(trial.case, troubles=(trouble,), for_all=for_all)
        told = " ".join(trial.outcome(tmp_path).faults)
        assert ("nobody was up" not in told) is is_excused
