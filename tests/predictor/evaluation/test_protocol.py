"""The protocol: figures against scikit-learn's, leads and rows worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from predictor.evaluation.protocol import (
    Judged,
    alarm_threshold,
    area_under_curve,
    average_precision,
    figures,
    judge,
    leads_min,
)
from predictor.evaluation.recordings import Recording
from tests.predictor.evaluation import simulated

Scores = NDArray[np.float64]

tied = arrays(np.float64, st.integers(1, 40), elements=st.integers(-3, 3).map(float))


@given(positive=tied, negative=tied)
def test_areas_are_scikit_learn_s(positive: Scores, negative: Scores) -> None:
    labels = np.repeat([1, 0], [positive.size, negative.size])
    scores = np.concatenate([positive, negative])
    np.testing.assert_allclose(area_under_curve(positive, negative), roc_auc_score(labels, scores), rtol=1e-12)
    expected = average_precision_score(labels, scores)
    np.testing.assert_allclose(average_precision(positive, negative), expected, rtol=1e-12)


@given(negative=tied)
def test_threshold_is_a_score_that_at_most_a_twentieth_exceeds(negative: Scores) -> None:
    threshold = alarm_threshold(negative)
    assert threshold in negative
    assert np.mean(negative > threshold) <= 0.05


def test_threshold_of_twenty_one_scores_lets_one_alarm() -> None:
    assert alarm_threshold(np.arange(21.0)) == 19


def judged_alarm(*alarm_rows: int, injected: int = 10, steps: int = 40) -> Judged:
    """One failing domain, with alarms (scores of 1) in these rows."""
    scores = np.zeros((steps, 1))
    scores[list(alarm_rows)] = 1
    nothing = np.zeros((steps, 1), dtype=bool)
    return Judged(scores, nothing, nothing, (0,), (injected,))


@pytest.mark.parametrize(
    ("judged", "lead"),
    [
        (judged_alarm(20, 21, 22), 20),
        (judged_alarm(20, 21), 0),  # two minutes are no warning
        (judged_alarm(20, 21, 30, 31, 32, 35, 36, 37), 10),
        (judged_alarm(9, 10, 11, 12), 0),  # begun before the injection
        (judged_alarm(9, 10, 11, 12, 20, 21, 22), 20),
        (judged_alarm(10, 11, 12), 30),  # at the injection
        (judged_alarm(37, 38, 39), 3),  # up to the failure itself
        (judged_alarm(38, 39), 0),
        (judged_alarm(), 0),
    ],
)
def test_lead_by_hand(judged: Judged, lead: float) -> None:
    assert leads_min(judged, threshold=0.5) == [lead]


def test_score_at_the_threshold_is_no_alarm() -> None:
    assert leads_min(judged_alarm(20, 21, 22), threshold=1.0) == [0]


class TestRun:
    RUN = simulated.run(1)

    def test_rows_that_count(self) -> None:
        judged = judge(self.RUN, np.zeros(self.RUN.health.shape))
        assert judged.failing == simulated.FAILING_DOMAINS
        assert judged.injected == (simulated.INJECTED,) * 2
        steps, domains = np.nonzero(judged.positive)
        assert set(domains) == set(simulated.FAILING_DOMAINS)
        assert set(steps) == set(range(simulated.MINUTES - 10, simulated.MINUTES))
        assert not judged.negative[:30].any()
        assert judged.negative[30:, 0].all()
        assert judged.negative[30:, 1].sum() == simulated.INJECTED - 30

    def test_unknown_minutes_do_not_count_nor_begin_anything(self) -> None:
        health = self.RUN.health.copy()
        health[40:50] = -1
        judged = judge(with_health(self.RUN, health), np.zeros(health.shape))
        assert not judged.negative[40:50].any()
        assert judged.injected == (simulated.INJECTED,) * 2

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_every_scored_row_needs_a_score(self, wrong: float) -> None:
        scores = np.zeros(self.RUN.health.shape)
        scores[0, 0] = wrong
        judge(self.RUN, scores)
        scores[30, 0] = wrong
        with pytest.raises(ValueError, match="run-1: a method must give a finite score"):
            judge(self.RUN, scores)

    def test_figures_of_a_score_by_hand(self) -> None:
        """A score that knows all from 8 minutes before the failure on, and else cries once an hour."""
        scores = np.zeros(self.RUN.health.shape)
        scores[-8:, simulated.FAILING_DOMAINS] = 2
        scores[30::60, 0] = 3
        found = figures([judge(self.RUN, scores)])
        n_negative = 5 * 70 + 2 * 40
        assert found.lead_min == 8
        assert found.warned_5min == 1
        np.testing.assert_allclose(found.last_10_protected, 0.8, rtol=1e-12)
        np.testing.assert_allclose(found.false_alarm_share, 2 / n_negative, rtol=1e-12)
        below = 0.8 * (1 - 2 / n_negative) + 0.2 * (n_negative - 2) / n_negative / 2
        np.testing.assert_allclose(found.auc, below, rtol=1e-12)

    def test_threshold_settled_elsewhere(self) -> None:
        scores = np.zeros(self.RUN.health.shape)
        scores[-8:, 1] = 2
        found = figures([judge(self.RUN, scores)], threshold=2.0)
        assert (found.lead_min, found.warned_5min, found.last_10_protected, found.false_alarm_share) == (0, 0, 0, 0)

    def test_without_failures_there_is_no_lead_to_tell(self) -> None:
        healthy = with_health(self.RUN, np.zeros_like(self.RUN.health))
        found = figures([judge(healthy, np.zeros(healthy.health.shape))])
        assert all(map(math.isnan, (found.auc, found.lead_min, found.warned_5min, found.last_10_protected)))
        assert found.false_alarm_share == 0


class TestMachine:
    def test_minute_is_judged_by_the_next(self) -> None:
        made = simulated.machine(1)
        judged = judge(made, np.zeros(made.health.shape))
        assert np.flatnonzero(judged.positive[:, 0]).tolist() == [*range(79, 85), *range(99, 105)]
        assert np.flatnonzero(judged.positive | judged.negative).tolist() == list(range(60, 119))
        assert not (judged.positive & judged.negative).any()
        assert judged.failing == ()

    def test_forecast_beats_detection(self) -> None:
        made = simulated.machine(1)
        detected = made.health.astype(float)
        foreseen = np.roll(detected, -1, axis=0)
        assert figures([judge(made, foreseen)]).auc == 1
        assert figures([judge(made, detected)]).auc < 0.95


def with_health(recording: Recording, health: NDArray[np.int64]) -> Recording:
    return Recording(recording.name, recording.dataset, recording.domains, recording.values, health, recording.history)
