from typing import Any

from lab.trials.parts import PARTS
from lab.trials.parts.held_output import late_frames, median_response_ms
from lab.trials.report import Row
from lab.trials.sightings import Answer, Frame
from telemetry.units import NS_PER_MS, NS_PER_S

PART = PARTS["held_output"]


def frame(host: str, at_s: float, counter: int | None = None) -> Frame:
    return Frame(host, int(at_s * NS_PER_S), counter, "boot" if counter else None)


def test_late_is_what_the_primary_says_after_its_backup_and_the_backup_does_not_know() -> None:
    before = [frame("a", 1, 20), frame("b", 5, 30)]
    known = frame("a", 6, 29)
    unknown, other = frame("a", 6, 31), frame("a", 6)
    assert late_frames([*before, known, unknown, other, frame("b", 7, 40)], "a", "b") == [unknown, other]
    too_early = frame("a", 2, 31)
    assert late_frames([too_early, *before], "a", "b") == [too_early]
    assert late_frames([frame("a", 1, 20), frame("a", 6, 31)], "a", "b") == []


def test_a_response_counts_from_its_question() -> None:
    answers = [
        Answer(at * NS_PER_S, at * NS_PER_S + ms * NS_PER_MS, 1, "boot") for at, ms in ((1, 9), (5, 40), (6, 20))
    ]
    assert median_response_ms(answers, 5 * NS_PER_S) == 30.0
    assert median_response_ms(answers, 7 * NS_PER_S) is None


def row(trial: int, *, held: bool, late: int, **response_ms: float | None) -> Row:
    said: dict[str, Any] = {"held": held, "late_frames": late, "heard_for_s": late / 10}
    return Row(trial, (), 1.0, {**said, "response_ms": {name[1:]: ms for name, ms in response_ms.items()}})


def test_both_ways_are_told_beside_one_another() -> None:
    rows = [
        row(1, held=False, late=3, _25=8.0, _100=7.0),
        row(2, held=False, late=0, _25=10.0, _100=None),
        row(7, held=True, late=0, _25=220.0, _100=300.0),
        Row(8, ("could not be made",), 1.0, {}),
    ]
    said = PART.summary(rows)
    assert (said["trials"], said["passed"]) == (4, 3)
    assert said["not_held"] == {
        "trials": 2,
        "heard_late": 1,
        "heard_for_s_max": 0.3,
        "response_ms": {25: 9.0, 50: None, 100: 7.0, 200: None},
    }
    assert said["held"]["heard_late"] == 0
    assert said["held"]["response_ms"][25] == 220.0
