"""Learning from a known process: what it finds is there, and nothing else matters."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor import hmm
from predictor.calibration import Calibration
from predictor.folds import failed_within
from predictor.forecast import Forecast, observe, track
from predictor.learning import Lesson, learn, learn_chains
from predictor.model import FAILED, HEALTH, NORMAL, Model, Recipe
from predictor.symbols import Trend
from tests.predictor import ailments
from tests.predictor.ailments import FAILED_FROM, ILL, ILL_FROM, METRICS, lesson

RECIPE = Recipe(restarts=2)
LESSONS = [lesson(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def model() -> Model:
    return learn(LESSONS, METRICS, RECIPE, 1)


def forecast_of(model: Model, taught: Lesson) -> Forecast:
    return track(model, taught.history, taught.values)


def well(forecast: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the domains that stay well, after their histories."""
    return np.delete(forecast[60:], ILL, axis=1)


def test_states_are_where_the_labels_say(model: Model) -> None:
    taught = LESSONS[0]
    symbols, _ = observe(RECIPE, taught.history, taught.values, Trend.unknown(*taught.values.shape[1:]))
    for one in model.chains.hmms:
        belief = hmm.smooth(one, symbols)
        of_health = np.stack([belief[:, health == HEALTH].sum(axis=1) for health in range(3)])
        assert (of_health.argmax(axis=0) == taught.health).mean() > 0.95
        assert of_health[FAILED, FAILED_FROM:, ILL].mean() > 0.7


def test_forecasts_rise_before_failures_not_seen_in_training(model: Model) -> None:
    for seed in (10, 11):
        unseen = lesson(seed)
        forecast = forecast_of(model, unseen)
        before = slice(FAILED_FROM - 5, FAILED_FROM)
        for domain in ILL:
            assert forecast.evidence[before, domain].min() > model.calm.evidence_high
            assert forecast.learned[before, domain].min() > np.quantile(well(forecast.learned), 0.99)
            assert forecast.p_failed_within[before, domain].mean() > 10 * well(forecast.p_failed_within).mean()
            assert forecast.p_normal[before, domain].max() < 0.1
        assert np.mean(well(forecast.evidence) >= model.calm.evidence_high) < 0.15
        assert well(forecast.p_normal).min() > 0.5


def test_same_seed_same_model(model: Model) -> None:
    again, other = learn(LESSONS, METRICS, RECIPE, 1), learn(LESSONS, METRICS, RECIPE, 2)
    for one, same in zip(model.chains.hmms, again.chains.hmms, strict=True):
        np.testing.assert_array_equal(one.transition, same.transition)
    assert (again.calibration, again.calm.evidence_high) == (model.calibration, model.calm.evidence_high)
    assert not np.array_equal(other.chains.hmms[0].transition, model.chains.hmms[0].transition)


def test_order_of_domains_does_not_matter(model: Model) -> None:
    order = [3, 1, 5, 0, 2, 4]
    shuffled = [
        Lesson(
            one.values[:, order],
            replace(one.history, mean=one.history.mean[order], sigma=one.history.sigma[order]),
            one.health[:, order],
        )
        for one in LESSONS
    ]
    other = learn(shuffled, METRICS, RECIPE, 1)
    unseen = lesson(12)
    one, same = forecast_of(model, unseen), forecast_of(other, unseen)
    for name in ("p_normal", "p_abnormal", "p_failed", "p_failed_within"):
        np.testing.assert_allclose(getattr(same, name), getattr(one, name), rtol=1e-4, atol=1e-9)
    one_rank_at_most = 0.2  # what rounding parted may rank differently
    np.testing.assert_allclose(same.evidence, one.evidence, rtol=0, atol=one_rank_at_most)


def test_refit_takes_over_the_names_of_the_model_before(model: Model) -> None:
    fresh, refit = learn(LESSONS, METRICS, RECIPE, 7), learn(LESSONS, METRICS, RECIPE, 7, before=model)
    reference = model.chains.hmms[0]

    def distance(one: hmm.Hmm) -> float:
        return sum(float(np.abs(a - b).sum()) for a, b in zip(one.emissions, reference.emissions, strict=True))

    for one, named in zip(fresh.chains.hmms, refit.chains.hmms, strict=True):
        orders = itertools.product(itertools.permutations(range(3)), repeat=3)
        tables = [np.concatenate([3 * health + np.array(o) for health, o in enumerate(order)]) for order in orders]
        nearest = min(
            sum(float(np.abs(a[order] - b).sum()) for a, b in zip(one.emissions, reference.emissions, strict=True))
            for order in tables
        )
        np.testing.assert_allclose(distance(named), nearest, rtol=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_share_of_calm_steps_that_alarm_is_kept(share: float) -> None:
    model = learn(LESSONS, METRICS, Recipe(restarts=1, false_alarm_share=share), 1)
    evidence = np.concatenate([forecast_of(model, one).evidence[one.health == NORMAL] for one in LESSONS])
    assert 0.8 * share < np.mean(evidence >= model.calm.evidence_high) <= share
    assert 1.6 * share < np.mean(evidence >= model.calm.evidence_low) <= 2 * share


def test_unlabelled_data_teach_surprise() -> None:
    calm = [lesson(seed, ill=()) for seed in range(2)]
    model = learn(calm, METRICS, RECIPE, 1)
    assert not model.chains.knows_failures
    forecast = forecast_of(model, lesson(10))
    assert forecast.learned[FAILED_FROM:, ILL].min() > np.quantile(well(forecast.learned), 0.99)
    assert forecast.evidence[FAILED_FROM:, ILL].min() > model.calm.evidence_high


def test_paper_mode_learns_one_chain_of_joint_symbols() -> None:
    model = learn(LESSONS, METRICS, replace(RECIPE, mode="paper"), 1)
    assert [one.levels for one in model.chains.hmms] == [(24,)]
    assert model.calibration == Calibration()
    forecast = forecast_of(model, lesson(10))
    assert forecast.p_abnormal_next[FAILED_FROM:, ILL].mean() > 2 * well(forecast.p_abnormal_next).mean()


def test_lessons_of_different_lengths_and_with_gaps() -> None:
    rng = np.random.default_rng(1)
    gappy = LESSONS[0].values.copy()
    gappy[rng.random(gappy.shape) < 0.2] = np.nan
    gappy[:, 5] = np.nan
    short = Lesson(LESSONS[1].values[50:], LESSONS[1].history, LESSONS[1].health[50:])
    model = learn([replace(LESSONS[0], values=gappy), short], METRICS, RECIPE, 1)
    forecast = forecast_of(model, lesson(10))
    assert forecast.evidence[FAILED_FROM:, ILL].min() > model.calm.evidence_high


class TestRefusals:
    def test_no_lessons(self) -> None:
        with pytest.raises(ValueError, match="nothing to learn from: no lessons"):
            learn([], METRICS, RECIPE, 1)

    @pytest.mark.parametrize("health", [-1, 1, 2])
    def test_nothing_calm(self, health: int) -> None:
        labels = np.full_like(LESSONS[0].health, health)
        with pytest.raises(ValueError, match="no calm values to compare with: train on a span in which"):
            learn([replace(LESSONS[0], health=labels)], METRICS, RECIPE, 1)

    def test_nothing_measured(self) -> None:
        with pytest.raises(ValueError, match="no calm values to compare with: train on a span in which"):
            learn([replace(LESSONS[0], values=np.full_like(LESSONS[0].values, np.nan))], METRICS, RECIPE, 1)

    def test_no_steps(self) -> None:
        empty = Lesson(LESSONS[0].values[:0], LESSONS[0].history, LESSONS[0].health[:0])
        with pytest.raises(ValueError, match="nothing to learn from: symbols are empty"):
            learn([empty], METRICS, RECIPE, 1)


class TestCalibration:
    """Of two that fall ill one does not fail, and some that stay well grow a little: no sign is sure."""

    def lesson(self, seed: int) -> Lesson:
        rng = np.random.default_rng([seed, 1])
        labels = ailments.health()
        labels[FAILED_FROM:, rng.choice(ILL)] = 1
        made = lesson(seed, labels=labels)
        little = rng.choice([0.0, 0.25], size=4, p=[0.6, 0.4])
        growth = np.linspace(0, 1, ailments.STEPS - ILL_FROM)[:, None] * little
        made.values[ILL_FROM:, 2:, 0] += growth
        made.values[ILL_FROM:, 2:, 1] += growth * 0.8
        return made

    def test_probabilities_mean_what_they_say_of_what_was_not_seen(self) -> None:
        model = learn([self.lesson(seed) for seed in range(5)], METRICS, RECIPE, 1)
        uncalibrated = replace(model, calibration=Calibration())
        unseen = [self.lesson(seed) for seed in range(50, 80)]
        came_true = np.stack([failed_within(one.health, RECIPE.horizon_steps) for one in unseen])
        raw = np.stack([forecast_of(uncalibrated, one).p_failed_within for one in unseen])
        honest = np.stack([forecast_of(model, one).p_failed_within for one in unseen])
        sure = raw > 0.5
        assert raw[sure].mean() > came_true[sure].mean() + 0.3
        np.testing.assert_allclose(honest[sure].mean(), came_true[sure].mean(), rtol=0, atol=0.15)
        np.testing.assert_allclose(honest.mean(), came_true.mean(), rtol=0.3)
        assert np.mean((honest - came_true) ** 2) < np.mean((raw - came_true) ** 2)

    def test_failures_of_kinds_that_no_other_showed_could_not_have_been_foretold(self) -> None:
        lessons = []
        for metric in range(len(METRICS)):
            made = lesson(metric, ill=(), labels=ailments.health())
            made.values[ILL_FROM:, ILL, metric] *= 3
            lessons.append(made)
        model = learn(lessons, METRICS, RECIPE, 1)
        learned = replace(model, calibration=Calibration())
        assert forecast_of(learned, lessons[0]).p_failed_within[FAILED_FROM:, ILL].mean() > 0.5
        assert model.calibration.honest(np.array(0.99)) < 0.3

    def test_one_failure_alone_cannot_be_held_out(self) -> None:
        assert learn(LESSONS[:1], METRICS, RECIPE, 1).calibration == Calibration()


def test_chains_alone_are_those_of_the_whole_model() -> None:
    whole, alone = learn(LESSONS, METRICS, RECIPE, 3).chains, learn_chains(LESSONS, RECIPE, 3)
    assert alone.knows_failures is whole.knows_failures is True
    for one, other in zip(alone.hmms, whole.hmms, strict=True):
        np.testing.assert_array_equal(one.transition, other.transition)
        np.testing.assert_array_equal(one.start, other.start)
    with pytest.raises(ValueError, match="no lessons"):
        learn_chains([], RECIPE, 3)
