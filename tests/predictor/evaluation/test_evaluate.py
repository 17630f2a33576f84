"""The verb `evaluate` from files to figures, on simulated data that its methods must tell apart."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from predictor.evaluation.evaluate import evaluate
from predictor.evaluation.rows import RecordingError
from tests.predictor.evaluation import simulated


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each kind."""
    folder = tmp_path_factory.mktemp("data")
    for seed in (1, 2, 3):
        simulated.write(folder / "runs", simulated.run(seed))
    for seed in (1, 2):
        simulated.write(folder / "machines", simulated.machine(seed))
    return folder


@pytest.fixture(scope="module")
def told(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The JSON of an evaluation of all methods."""
    path = tmp_path_factory.mktemp("out") / "new" / "evaluation.json"
    evaluate(data, None, [], seeds=1, json_file=path)
    read: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def mean(told: Mapping[str, Any], dataset: str, method: str, figure: str) -> float:
    return float(told["datasets"][dataset]["methods"][method][figure]["mean"])


def test_default_mode_foresees_what_dice_do_not(told: Mapping[str, Any]) -> None:
    assert mean(told, "prevent", "default", "auc") > 0.97
    assert mean(told, "prevent", "default", "warned_5min") > 0.8
    assert mean(told, "prevent", "random", "auc") == pytest.approx(0.5, abs=0.12)
    assert mean(told, "prevent", "random", "last_10_protected") < 0.2
    assert mean(told, "smd", "default", "auc") > 0.75
    assert mean(told, "smd", "random", "auc") == pytest.approx(0.5, abs=0.3)


def test_own_alarm_costs_about_what_it_may(told: Mapping[str, Any]) -> None:
    assert 0.01 < mean(told, "prevent", "default_own_alarm", "false_alarm_share") < 0.2
    assert mean(told, "prevent", "default_own_alarm", "last_10_protected") > 0.9


def test_says_how_it_came_about(told: Mapping[str, Any]) -> None:
    assert (told["seeds"], told["left_out"]) == (1, "one at a time")
    runs = told["datasets"]["prevent"]
    assert sum(row["rows"] for row in runs["reliability"]) == 3 * 7 * 70
    assert {trial["judged_on"] for trial in runs["trials"]} == {"all"}
    assert {trial["judged_on"] for trial in told["datasets"]["smd"]["trials"]} == {"machine-1-1", "machine-1-2"}


def test_judges_on_other_data_without_the_extra(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("predictor.evaluation.evaluate.find_spec", lambda name: None)
    simulated.write(tmp_path / "later", simulated.run(9))
    evaluate(data / "runs", tmp_path / "later", [], seeds=1, json_file=tmp_path / "out.json")
    told = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert told["left_out"] == "all of later"
    assert mean(told, "prevent", "default", "auc") > 0.97
    assert "logistic_regression" not in told["datasets"]["prevent"]["methods"]
    out, err = capsys.readouterr()
    assert out.startswith("prevent: mean ± spread over seeds")
    assert "pip install 'hefery[evaluate]' adds them" in err


class TestRefusals:
    def test_data_that_are_not_unseen(self, data: Path) -> None:
        with pytest.raises(RecordingError, match="--test: run-1 is run-1 of --data, and so not unseen; remove one"):
            evaluate(data / "runs", data / "runs", [], seeds=1, json_file=None)

    def test_data_of_another_kind(self, data: Path) -> None:
        with pytest.raises(RecordingError, match="--test holds nothing of the kind smd to judge on"):
            evaluate(data / "machines", data / "runs", [], seeds=1, json_file=None)

    def test_two_folders_of_a_kind(self, tmp_path: Path) -> None:
        for seed in (1, 2):
            simulated.write(tmp_path / str(seed), simulated.run(seed))
        with pytest.raises(
            RecordingError, match=r"two of its folders hold the same kind \(prevent, prevent\); put them"
        ):
            evaluate(tmp_path, None, [], seeds=1, json_file=None)

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="nowhere: no such folder"):
            evaluate(tmp_path / "nowhere", None, [], seeds=1, json_file=None)
