from pathlib import Path

import pytest

from lab.trials.sightings import Answer, Frame, read_answers, read_frames, ticks

FRAMES = [Frame("a", 10, 517, "0a1b2c3d"), Frame("b", 20), Frame("b", 30, 518, "0a1b2c3d")]


def test_logs_hold_what_was_written(tmp_path: Path) -> None:
    log = tmp_path / "wire.log"
    log.write_text("".join(frame.line() for frame in FRAMES))
    assert read_frames(log) == FRAMES
    answer = Answer(1, 2, 3, "0a1b2c3d")
    log.write_text(answer.line())
    assert read_answers(log) == [answer]


def test_a_line_that_is_still_being_written_is_left(tmp_path: Path) -> None:
    log = tmp_path / "wire.log"
    log.write_text(FRAMES[0].line() + "b 20")
    assert read_frames(log) == FRAMES[:1]


@pytest.mark.parametrize("line", ["a 10 517", "a x 517 0a1b2c3d", "a 10 x 0a1b2c3d"])
def test_a_line_that_is_no_frame_is_shown(tmp_path: Path, line: str) -> None:
    log = tmp_path / "wire.log"
    log.write_text(f"{line}\n")
    with pytest.raises(ValueError, match=f"not a frame: '{line}'"):
        read_frames(log)


def test_ticks_are_those_of_the_host_asked_for() -> None:
    assert ticks(FRAMES) == [(10, 517), (30, 518)]
    assert ticks(FRAMES, "b") == [(30, 518)]
