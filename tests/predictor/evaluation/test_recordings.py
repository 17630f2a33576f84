"""Recordings: what a file says, what it leaves out, and what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from predictor.evaluation.recordings import (
    FAILING,
    HISTORY_MINUTES,
    METRICS,
    UNKNOWN,
    Recording,
    read_folder,
    read_recording,
)
from predictor.evaluation.rows import RecordingError
from tests.predictor.evaluation import simulated

RUN_HEAD = f"minute,domain,{','.join(METRICS)},health"
MACHINE_HEAD = f"minute,part,{','.join(METRICS)},abnormal"
RUN = [RUN_HEAD, *(f"{minute},a,.1,.2,3e6,.4,0" for minute in range(40))]
MACHINE = [MACHINE_HEAD, *(f"{minute},{part},.1,.2,.3,.4,0" for part in ("train", "test") for minute in range(3))]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[list[str]], Path]:
    """Write lines to a file."""

    def write(lines: list[str]) -> Path:
        path = tmp_path / "run-1.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("made", [simulated.run(1), simulated.machine(1)])
def test_what_was_written_comes_back(made: Recording, tmp_path: Path) -> None:
    read = read_recording(simulated.write(tmp_path, made))
    assert (read.name, read.dataset, read.domains) == (made.name, made.dataset, made.domains)
    np.testing.assert_allclose(read.values, made.values, rtol=1e-12)
    np.testing.assert_array_equal(read.health, made.health)
    np.testing.assert_array_equal(read.history, made.history)
    np.testing.assert_array_equal(read.scored, ~made.history)


def test_rows_may_come_in_any_order_and_columns_too(written: Callable[[list[str]], Path]) -> None:
    head, *rows = RUN
    turned = [",".join(reversed(line.split(","))) for line in (head, *rows[::-1])]
    one, other = read_recording(written(RUN)), read_recording(written(turned))
    np.testing.assert_array_equal(one.values, other.values)


def test_what_is_not_there_is_unknown(written: Callable[[list[str]], Path]) -> None:
    lines = [line for line in RUN if not line.startswith("35,")]
    lines[34] = "33,a,.1,,3e6,.4,0"
    read = read_recording(written(lines))
    assert len(read.values) == 40
    assert np.isnan(read.values[:, 0]).sum(axis=0).tolist() == [1, 2, 1, 1]
    assert read.health[34:37, 0].tolist() == [0, UNKNOWN, 0]
    assert np.count_nonzero(read.history) == HISTORY_MINUTES


BROKEN_RUNS = [
    (["minute,domain,cpu"], "line 1: expected the columns minute,domain,.* or minute,part,.*; found minute,domain,cpu"),
    ([""], "line 1: expected the columns .*; found none"),
    ([RUN_HEAD], "no data rows; fetch it again"),
    ([*RUN, "40,a,.1,.2,3e6,.4"], "line 42: 7 columns expected; mend or remove the line"),
    ([*RUN, "40,a,.1,.2,3e6,.4,0,9"], "line 42: 7 columns expected; mend or remove the line"),
    ([*RUN, "40,a,.1,much,3e6,.4,0"], "line 42: memory is 'much', not a number; mend it, or leave it empty"),
    ([*RUN, "40,a,.1,.2,inf,.4,0"], "line 42: network is 'inf', not a number; mend it, or leave it empty"),
    ([*RUN, "40,a,.1,.2,3e6,.4,3"], "line 42: health is '3', expected 0 to 2"),
    ([*RUN, "40,a,.1,.2,3e6,.4,"], "line 42: health is '', expected 0 to 2"),
    ([*RUN, "-1,a,.1,.2,3e6,.4,0"], "line 42: minute is '-1', expected a whole number from 0 on"),
    ([*RUN, "39,a,.1,.2,3e6,.4,0"], "line 42: second row for minute 39 of a; remove one"),
    (
        [*RUN, "1700000000,a,.1,.2,3e6,.4,0"],
        "41 rows for 1700000001 minutes; is the column minute counted from the run's start",
    ),
    (RUN[:20], "19 minutes, of which the first 30 are not scored; remove the file"),
    ([*RUN[:-1], "38,b,.1,.2,3e6,.4,2", "39,b,.1,.2,3e6,.4,0"], "b has health 2 before its last row; a run must end"),
    ([*RUN, '40,"' + "x" * 200_000], "after line 41: field larger than field limit .*; mend or remove the line"),
]
BROKEN_MACHINES = [
    ([*MACHINE, "9,tset,.1,.2,.3,.4,0"], "line 8: part is 'tset', expected train or test"),
    ([*MACHINE, "9,train,.1,.2,.3,.4,0"], "line 8: the part train must come before the part test; sort the rows"),
    ([*MACHINE, "9,test,.1,.2,.3,.4,2"], "line 8: abnormal is '2', expected 0 to 1"),
    (MACHINE[:4], "all rows are of part train; both train and test are needed"),
]


@pytest.mark.parametrize(("lines", "complaint"), BROKEN_RUNS + BROKEN_MACHINES)
def test_broken_file_is_one_sentence(lines: list[str], complaint: str, written: Callable[[list[str]], Path]) -> None:
    with pytest.raises(RecordingError, match=rf"^\S*/run-1\.csv(, |: ){complaint}"):
        read_recording(written(lines))


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-9], lambda raw: raw[:20] + b"\xff" * 20 + raw[40:], lambda raw: b"?"]
)
def test_damaged_archive_is_one_sentence(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = simulated.write(tmp_path, simulated.run(1))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RecordingError, match=r"run-1\.csv\.gz: cannot be read: .*; fetch it again"):
        read_recording(path)


class TestFolder:
    def test_reads_by_name_what_is_csv(self, tmp_path: Path) -> None:
        for seed in (2, 1):
            simulated.write(tmp_path, simulated.run(seed))
        (tmp_path / "README.md").touch()
        assert [recording.name for recording in read_folder(tmp_path)] == ["run-1", "run-2"]

    def test_complaints_name_the_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="nowhere: no such folder; name the one"):
            read_folder(tmp_path / "nowhere")
        with pytest.raises(RecordingError, match=r"holds no \.csv or \.csv\.gz file; name"):
            read_folder(tmp_path)

    def test_kinds_are_not_mixed(self, tmp_path: Path) -> None:
        simulated.write(tmp_path, simulated.run(1))
        simulated.write(tmp_path, simulated.machine(1))
        with pytest.raises(RecordingError, match=r"holds runs .* beside machines .*; separate them"):
            read_folder(tmp_path)

    def test_one_recording_twice_would_be_learned_and_judged(self, tmp_path: Path) -> None:
        simulated.write(tmp_path, simulated.run(1))
        (tmp_path / "run-1.csv").write_text("\n".join(RUN), encoding="utf-8")
        with pytest.raises(RecordingError, match=r"holds run-1 twice, as \.csv and as \.csv\.gz; remove one"):
            read_folder(tmp_path)


def test_failing_is_the_largest_label() -> None:
    assert simulated.run(1).health.max() == FAILING
