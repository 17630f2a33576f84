"""Methods: none sees labels or the future of what it is judged on, and each does what its name says."""

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor.evaluation import methods
from predictor.evaluation.methods import (
    LEARNERS,
    NOT_RANKED,
    P_FAILED_WITHIN,
    WITHOUT_EXTRA,
    Learner,
    MissingExtraError,
    classifiers,
    departures_only,
    hefery_default,
    history_of,
    random_alarms,
    trend_features,
)
from predictor.evaluation.protocol import area_under_curve, judge
from predictor.evaluation.recordings import Recording
from predictor.symbols import standardise
from tests.predictor.evaluation import simulated

RUNS = [simulated.run(seed) for seed in (1, 2)]
MACHINES = [simulated.machine(seed) for seed in (1, 2)]
UNSEEN_RUN, UNSEEN_MACHINE = simulated.run(3), simulated.machine(3)
RANKED = {
    "default",
    "learned_voice",
    "surprise_voice",
    "paper",
    "logistic_regression",
    "gradient_boosting",
    "isolation_forest",
    "max_abs_z",
    "ewma_max_abs_z",
    "max_rise",
    "random",
}

Scores = Mapping[str, NDArray[np.float64]]


@pytest.mark.parametrize(
    ("train", "unseen"), [(RUNS, UNSEEN_RUN), (MACHINES, UNSEEN_MACHINE)], ids=["runs", "machines"]
)
@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: str(learner.__name__))
def test_no_method_sees_labels_or_the_future(learner: Learner, train: list[Recording], unseen: Recording) -> None:
    scorer = learner(train, 1)
    scores = scorer(unseen)
    rng = np.random.default_rng(1)
    for relabelled in (1 - unseen.health.clip(0, 1), rng.integers(0, 3, unseen.health.shape)):
        assert_same(scorer(replace(unseen, health=relabelled)), scores, until=len(unseen.values))
    for until in (int(unseen.scored.argmax()), 75, len(unseen.values) - 2):
        values = unseen.values.copy()
        values[until:] *= rng.uniform(0, 3, values[until:].shape)
        values[-1] = np.nan
        assert_same(scorer(replace(unseen, values=values)), scores, until)


def assert_same(one: Scores, other: Scores, until: int) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name][:until], other[name][:until])


@pytest.fixture(scope="module")
def scores() -> Scores:
    """Of all methods, of a run not seen in training."""
    return {name: score for learner in LEARNERS for name, score in learner(RUNS, 1)(UNSEEN_RUN).items()}


def test_every_method_is_there_and_ranks_but_the_dice(scores: Scores) -> None:
    assert scores.keys() == RANKED | set(NOT_RANKED)
    for name in RANKED - {"random", "paper"}:
        judged = judge(UNSEEN_RUN, scores[name])
        assert area_under_curve(scores[name][judged.positive], scores[name][judged.negative]) > 0.9, name


def test_own_alarm_is_the_evidence_from_its_threshold_on(scores: Scores) -> None:
    threshold = scores["default"] - scores[methods.ALARM]
    np.testing.assert_allclose(threshold, threshold[0, 0], rtol=1e-12)
    calm = UNSEEN_RUN.health == 0
    assert np.mean(scores[methods.ALARM][calm] >= 0) < 0.25
    assert np.mean(scores[methods.ALARM][-10:, simulated.FAILING_DOMAINS] >= 0) > 0.9


def test_methods_without_the_extra_need_no_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    for learner in set(LEARNERS) - set(WITHOUT_EXTRA):
        with pytest.raises(MissingExtraError, match=r"scikit-learn is not installed; pip install 'hefery\[evaluate\]'"):
            learner(RUNS, 1)
    for learner in (departures_only, random_alarms):
        assert learner in WITHOUT_EXTRA
        assert learner(RUNS, 1)(UNSEEN_RUN)


def test_without_labelled_trouble_nothing_is_supervised_by() -> None:
    healthy = [replace(run, health=np.zeros_like(run.health)) for run in RUNS]
    assert classifiers(healthy, 1)(UNSEEN_RUN).keys() == {"isolation_forest"}
    assert P_FAILED_WITHIN not in hefery_default(healthy, 1)(UNSEEN_RUN)


def test_domain_never_measured_is_doubted() -> None:
    values = UNSEEN_RUN.values.copy()
    values[:, 0] = np.nan
    scores = hefery_default(RUNS, 1)(replace(UNSEEN_RUN, values=values))
    for name in ("default", "learned_voice", "surprise_voice", methods.ALARM):
        assert scores[name][:, 0].min() > scores[name][:, 1:].max()


def test_rules_of_thumb_by_hand() -> None:
    z = standardise(UNSEEN_RUN.values, history_of(UNSEEN_RUN))
    scores = departures_only([], 1)(UNSEEN_RUN)
    np.testing.assert_array_equal(scores["max_abs_z"], np.abs(z).max(axis=-1))
    for name, largest in (("max_rise", z.max(axis=-1)), ("ewma_max_abs_z", np.abs(z).max(axis=-1))):
        averaged = [largest[0]]
        for row in largest[1:]:
            averaged.append(0.7 * averaged[-1] + 0.3 * row)
        np.testing.assert_allclose(scores[name], averaged, rtol=1e-9)


def test_history_is_the_first_half_hour() -> None:
    history = history_of(UNSEEN_RUN)
    np.testing.assert_allclose(history.mean, UNSEEN_RUN.values[:30].mean(axis=0), rtol=1e-12)


def test_24_features() -> None:
    assert trend_features(UNSEEN_RUN).shape == (*UNSEEN_RUN.health.shape, 24)
    assert np.abs(trend_features(replace(UNSEEN_RUN, values=UNSEEN_RUN.values * 1e9))).max() <= 30


def test_dice_differ_by_seed_and_recording() -> None:
    throws = [
        random_alarms([], seed)(replace(UNSEEN_RUN, name=name))["random"] for seed in (1, 2) for name in ("a", "b")
    ]
    assert len({throw.tobytes() for throw in throws}) == 4
    np.testing.assert_array_equal(random_alarms([], 1)(replace(UNSEEN_RUN, name="a"))["random"], throws[0])
