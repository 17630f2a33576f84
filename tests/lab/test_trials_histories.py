import pytest

from lab.trials.histories import heard_from, is_answered, overlap_s, steps_back, without_answer_s
from lab.trials.sightings import Answer, Frame, Write

S = 10**9
BOOT = "0a1b2c3d"


def ticks(host: str, start_s: float, counters: range, boot: str = BOOT) -> list[Frame]:
    """Twenty a second."""
    return [Frame(host, int((start_s + i / 20) * S), counter, boot) for i, counter in enumerate(counters)]


BEFORE = ticks("a", 0, range(100, 140))  # until 1.95 s
TAKEN_OVER = [*BEFORE, *ticks("b", 5, range(130, 160))]


def test_one_after_the_other_is_one_guest() -> None:
    assert overlap_s(BEFORE) == 0
    assert overlap_s(TAKEN_OVER) == 0
    assert overlap_s([]) == 0


def test_an_old_copy_that_is_heard_later_is_a_second_one_for_as_long() -> None:
    late = Frame("a", int(5.5 * S))
    assert overlap_s([late, *TAKEN_OVER]) == pytest.approx(0.5)
    assert overlap_s([Write("a", 1 * S), Write("b", 3 * S), Write("a", 4 * S)]) == 1.0


def test_a_copy_that_has_counted_backwards_is_named() -> None:
    assert steps_back(TAKEN_OVER) == []  # what was not replicated is lost, and that is told apart by the host
    assert steps_back([*TAKEN_OVER, Frame("b", 9 * S, 140, BOOT)]) == ["b"]
    assert steps_back([*BEFORE, Frame("a", 9 * S, 900, "ffff0000")]) == ["a"]


def test_silence_counts_from_the_beginning_to_the_end() -> None:
    answers = [Answer(at * S, at * S, 1, BOOT) for at in (1, 2, 6, 7)]
    assert without_answer_s(answers, 2 * S, 8 * S) == 4
    assert without_answer_s(answers, 7 * S, 12 * S) == 5
    assert without_answer_s([], 7 * S, 12 * S) == 5


def test_only_a_question_of_that_time_tells_that_somebody_was_up() -> None:
    answers = [Answer(1 * S, 4 * S, 1, BOOT)]
    assert is_answered(answers, 0, 2 * S)
    assert not is_answered(answers, 2 * S, 5 * S)


def test_who_is_heard_is_told_by_ticks() -> None:
    assert heard_from(TAKEN_OVER, 4 * S) == ["b"]
    assert heard_from([*TAKEN_OVER, Frame("a", 6 * S)], 4 * S) == ["b"]
    assert heard_from(TAKEN_OVER, 0) == ["a", "b"]
