"""Trials: who is left out when, every learner on every fold, and forecasts against what came true."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from predictor.evaluation.methods import P_FAILED_WITHIN, departures_only, random_alarms
from predictor.evaluation.protocol import figures, judge
from predictor.evaluation.recordings import Recording
from predictor.evaluation.rows import RecordingError
from predictor.evaluation.trials import Fold, Outcome, _reliability, _trials, leave_groups_out, leave_one_out, run
from tests.predictor.evaluation import simulated

RUNS = [simulated.run(seed) for seed in (1, 2, 3)]
MACHINES = [simulated.machine(seed) for seed in (1, 2)]


def names(folds: list[Fold]) -> list[tuple[list[str], list[str]]]:
    return [([one.name for one in fold.train], [one.name for one in fold.test]) for fold in folds]


class TestFolds:
    def test_one_at_a_time(self) -> None:
        assert names(leave_one_out(RUNS)) == [
            (["run-2", "run-3"], ["run-1"]),
            (["run-1", "run-3"], ["run-2"]),
            (["run-1", "run-2"], ["run-3"]),
        ]

    def test_groups_by_name_or_number(self) -> None:
        assert names(leave_groups_out(RUNS, [["1", "run-3"], ["2"]])) == [
            (["run-2"], ["run-1", "run-3"]),
            (["run-1", "run-3"], ["run-2"]),
        ]

    @pytest.mark.parametrize(("word", "count"), [("4", 0), ("run", 0), ("", 0)])
    def test_unknown_name_is_refused(self, word: str, count: int) -> None:
        with pytest.raises(
            RecordingError, match=f"--groups: '{word}' names {count} recordings, .* of run-1, run-2, run-3"
        ):
            leave_groups_out(RUNS, [[word]])

    def test_ambiguous_number_is_refused(self) -> None:
        machines = [replace(MACHINES[0], name=name) for name in ("machine-1-1", "machine-2-1")]
        with pytest.raises(RecordingError, match="'1' names 2 recordings"):
            leave_groups_out(machines, [["1"]])

    def test_something_must_be_left_to_learn_from(self) -> None:
        with pytest.raises(
            RecordingError, match="nothing is left to learn from when run-1, run-2, run-3 is left out; add"
        ):
            leave_groups_out(RUNS, [["1", "2", "3"]])
        with pytest.raises(RecordingError, match="when run-1 is left out; add recordings, or use --test"):
            leave_one_out(RUNS[:1])


@pytest.fixture(scope="module")
def told() -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    return run(leave_one_out(RUNS), (departures_only, random_alarms), (0, 1), lines.append), lines


class TestRun:
    def test_figures_are_those_of_all_runs_together(self, told: tuple[Outcome, list[str]]) -> None:
        outcome, _ = told
        scored = [(one, departures_only([], 0)(one)["max_rise"]) for one in RUNS]
        expected = figures([judge(one, scores) for one, scores in scored])
        trials = [trial for trial in outcome.trials if trial.method == "max_rise"]
        assert [(trial.seed, trial.judged_on, trial.figures) for trial in trials] == [
            (0, "all", expected),
            (1, "all", expected),
        ]

    def test_each_fold_is_told_by_itself_too(self, told: tuple[Outcome, list[str]]) -> None:
        rises = [trial for trial in told[0].left_out if (trial.method, trial.seed) == ("max_rise", 0)]
        assert [trial.judged_on for trial in rises] == [one.name for one in RUNS]
        for trial, one in zip(rises, RUNS, strict=True):
            assert trial.figures == figures([judge(one, departures_only([], 0)(one)["max_rise"])])

    def test_seeds_differ_where_there_is_chance(self, told: tuple[Outcome, list[str]]) -> None:
        dice = {trial.figures.auc for trial in told[0].trials if trial.method == "random"}
        assert len(dice) == 2

    def test_progress_is_told_in_few_lines(self, told: tuple[Outcome, list[str]]) -> None:
        lines = told[1]
        assert len(lines) == 5
        assert lines[-1] == "12 of 12 trainings done"


def test_machines_are_judged_one_by_one() -> None:
    scored = [(machine, departures_only([], 0)(machine)) for machine in MACHINES]
    trials = [trial for trial in _trials(scored, seed=0) if trial.method == "max_abs_z"]
    assert [trial.judged_on for trial in trials] == ["machine-1-1", "machine-1-2"]
    for trial, machine in zip(trials, MACHINES, strict=True):
        assert trial.figures.auc == figures([judge(machine, departures_only([], 0)(machine)["max_abs_z"])]).auc


class TestReliability:
    def scored(self, probability: float) -> list[tuple[Recording, Mapping[str, np.ndarray]]]:
        return [(RUNS[0], {P_FAILED_WITHIN: np.full(RUNS[0].health.shape, probability)})]

    def test_counts_what_came_true_after_the_history(self) -> None:
        (row,) = _reliability(self.scored(0.3))
        failed_soon = len(simulated.FAILING_DOMAINS) * (simulated.MINUTES - simulated.FAILED_FROM + 5)
        assert (row.low, row.high, row.rows) == (0.2, 0.5, 7 * 70)
        np.testing.assert_allclose((row.predicted, row.observed), (0.3, failed_soon / (7 * 70)), rtol=1e-12)

    @pytest.mark.parametrize(("probability", "low"), [(0.0, 0.0), (0.01, 0.01), (0.5, 0.5), (1.0, 0.5)])
    def test_bounds_belong_to_the_row_above_and_certainty_to_the_last(self, probability: float, low: float) -> None:
        assert [row.low for row in _reliability(self.scored(probability))] == [low]

    def test_no_table_where_no_failure_was_learned(self) -> None:
        assert list(_reliability([(RUNS[0], {})])) == []
