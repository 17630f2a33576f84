"""The training job, on a real store and with real fits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor import incidents, model_files, trained
from predictor.curriculum import gather
from predictor.incidents import Incident
from predictor.settings import PredictorSettings
from predictor.training import Outcome, train
from telemetry.point import Point
from telemetry.store import Store
from tests.predictor import site

CALM_S = 300


@pytest.fixture
def settings(tmp_path: Path) -> PredictorSettings:
    return site.settings(tmp_path)


def told(store: Store, now_ns: int) -> Point:
    (point,) = store.latest("training", since_ns=now_ns)
    return point


def test_first_model_is_accepted_and_told_of(store: Store, settings: PredictorSettings) -> None:
    store.append(site.points("web", site.calm(CALM_S, 1)) + site.points("db", site.calm(CALM_S, 2)))
    outcome = train(store, settings, site.at(CALM_S))
    assert outcome.accepted
    assert outcome.reason == "the first model"
    assert outcome.path == model_files.newest(settings.model.folder, "default")
    assert outcome.path is not None
    model = trained.load(outcome.path)
    assert model.domains == ("db", "web")
    assert (model.start_ns, model.stop_ns) == (site.START_NS, site.at(CALM_S))
    assert not model.model.chains.knows_failures
    np.testing.assert_allclose(model.history.mean, [site.CALM] * 2, rtol=0.02)
    fields = told(store, site.at(CALM_S)).fields
    assert fields["accepted"] is True
    assert (fields["steps"], fields["domains"]) == (2 * CALM_S, 2)


def test_same_seed_gives_the_same_file(store: Store, settings: PredictorSettings, tmp_path: Path) -> None:
    store.append(site.points("web", site.calm(CALM_S, 1)))
    files = []
    for folder in ("one", "two"):
        elsewhere = settings.model.model_copy(update={"folder": tmp_path / folder})
        outcome = train(store, settings.model_copy(update={"model": elsewhere}), site.at(CALM_S))
        assert outcome.path is not None
        files.append(outcome.path.read_bytes())
    assert files[0] == files[1]


def test_dry_run_writes_nothing(store: Store, settings: PredictorSettings) -> None:
    store.append(site.points("web", site.calm(CALM_S, 1)))
    outcome = train(store, settings, site.at(CALM_S), dry_run=True)
    assert outcome.accepted
    assert outcome.path is None
    assert not settings.model.folder.exists()
    assert store.latest("training", since_ns=0) == []


class TestTooLittle:
    def test_empty_store(self, store: Store, settings: PredictorSettings) -> None:
        outcome = train(store, settings, site.at(CALM_S))
        assert not outcome.accepted
        assert "no domain was measured in 100 calm steps (training.min_steps)" in outcome.reason
        assert told(store, site.at(CALM_S)).fields["accepted"] is False
        assert not settings.model.folder.exists()

    def test_names_the_domain_that_came_nearest(self, store: Store, settings: PredictorSettings) -> None:
        store.append(site.points("web", site.calm(90, 1)) + site.points("db", site.calm(40, 2)))
        assert "the most are the 90 of web" in train(store, settings, site.at(CALM_S)).reason

    def test_domain_of_few_steps_is_left_out(self, store: Store, settings: PredictorSettings) -> None:
        store.append(site.points("web", site.calm(CALM_S, 1)) + site.points("new", site.calm(40, 2)))
        model = train(store, settings, site.at(CALM_S)).model
        assert model is not None
        assert model.domains == ("web",)


class TestMetrics:
    def test_metric_that_nobody_has_is_not_in_the_model(self, store: Store, settings: PredictorSettings) -> None:
        values = site.calm(CALM_S, 1)
        values[:, 1] = np.nan
        store.append(site.points("web", values))
        model = train(store, settings, site.at(CALM_S)).model
        assert model is not None
        assert model.model.metrics == ("cpu_ratio", "network_bytes_per_s", "disk_ops_per_s")

    def test_metric_that_one_domain_mostly_lacks_is_none_of_its_own(
        self, store: Store, settings: PredictorSettings
    ) -> None:
        values = site.calm(CALM_S, 1)
        values[20:, 1] = np.nan
        store.append(site.points("web", values) + site.points("db", site.calm(CALM_S, 2)))
        model = train(store, settings, site.at(CALM_S)).model
        assert model is not None
        assert model.history.known.tolist() == [[True] * 4, [True, False, True, True]]


class TestIncidents:
    def test_labelled_failure_is_learned(self, store: Store, settings: PredictorSettings) -> None:
        values = np.concatenate([site.calm(CALM_S, 1), site.leak(60, 2)])
        store.append(site.points("web", values))
        label(store, "abnormal", CALM_S + 10, CALM_S + 50)
        label(store, "failed", CALM_S + 50, CALM_S + 60)
        model = train(store, settings, site.at(CALM_S + 60)).model
        assert model is not None
        assert model.model.chains.knows_failures
        np.testing.assert_allclose(model.history.mean, [site.CALM], rtol=0.05)

    def test_older_failure_is_not_forgotten(self, store: Store, settings: PredictorSettings) -> None:
        then_s, now_s = 0, 7200
        store.append(site.points("web", np.concatenate([site.calm(180, 1), site.leak(60, 2)]), site.at(then_s)))
        store.append(site.points("web", site.calm(CALM_S, 3), site.at(now_s)))
        label(store, "abnormal", 180, 230)
        label(store, "failed", 230, 240)
        outcome = train(store, settings, site.at(now_s + CALM_S))
        assert outcome.model is not None
        assert outcome.model.model.chains.knows_failures
        assert outcome.model.start_ns == site.at(now_s)
        assert outcome.curriculum is not None
        (older,) = outcome.curriculum.older
        assert older.health[:, 0].tolist() == [0] * 180 + [1] * 50 + [2] * 10

    def test_older_failure_that_was_closed_late_is_learned_for_a_span(self, store: Store, tmp_path: Path) -> None:
        settings = site.settings(tmp_path, training={"span_h": 0.25, "incident_context_h": 0.05})
        store.append(site.points("web", np.concatenate([site.calm(180, 1), site.leak(60, 2)])))
        store.append(site.points("web", site.calm(CALM_S, 3), site.at(7200)))
        label(store, "abnormal", 180, 7100)
        (older,) = gather(store, settings, site.at(7200 + CALM_S)).older
        assert len(older.health) == 180 + 900

    def test_older_failure_without_its_calm_is_left_out(self, store: Store, settings: PredictorSettings) -> None:
        store.append(site.points("web", site.leak(60, 2)))
        store.append(site.points("web", site.calm(CALM_S, 3), site.at(7200)))
        label(store, "failed", 0, 60)
        model = train(store, settings, site.at(7200 + CALM_S)).model
        assert model is not None
        assert not model.model.chains.knows_failures


def with_bursts(seconds: int, seed: int) -> NDArray[np.float64]:
    """Quiet life but for three busy seconds in every twenty."""
    busy = np.arange(seconds) % 20 >= 17
    return np.where(busy[:, None], 2, 1) * site.calm(seconds, seed)


def label(store: Store, level: str, start_s: float, end_s: float) -> None:
    start_ns, end_ns = site.at(start_s), site.at(end_s)
    incident = Incident("web", level, "failed" if level == "failed" else "abnormal", start_ns, end_ns, "a leak")
    incidents.add(store, incident, end_ns)


class TestRefit:
    def retrain(self, store: Store, settings: PredictorSettings, values: Sequence[Point], now_s: int) -> Outcome:
        store.append(values)
        return train(store, settings, site.at(now_s))

    def test_as_good_one_takes_over(self, store: Store, settings: PredictorSettings) -> None:
        first = self.retrain(store, settings, site.points("web", site.calm(CALM_S, 1)), CALM_S)
        more = site.points("web", site.calm(CALM_S, 2), site.at(CALM_S))
        second = self.retrain(store, settings, more, 2 * CALM_S)
        assert second.accepted
        assert second.held_out is not None
        assert second.held_out.new == pytest.approx(second.held_out.before, abs=0.05)
        assert model_files.listed(settings.model.folder, "default") == [first.path, second.path]
        fields = told(store, site.at(2 * CALM_S)).fields
        assert fields["heldout_log_likelihood"] == second.held_out.new

    def test_worse_one_is_refused_with_its_figures(self, store: Store, settings: PredictorSettings) -> None:
        first = self.retrain(store, settings, site.points("web", with_bursts(CALM_S, 1)), CALM_S)
        # bursts as the first model knows them, but only in the newest part, so that a new one is not fitted to any
        forgetful = np.concatenate([site.calm(CALM_S, 2), with_bursts(CALM_S // 4, 3)])
        now_s = 3600 + len(forgetful)
        second = self.retrain(store, settings, site.points("web", forgetful, site.at(3600)), now_s)
        assert not second.accepted
        assert second.reason.startswith("worse: ")
        assert second.held_out is not None
        assert second.held_out.new < second.held_out.before
        assert model_files.listed(settings.model.folder, "default") == [first.path]
        assert told(store, site.at(now_s)).fields["accepted"] is False

    def test_unreadable_model_is_replaced(self, store: Store, settings: PredictorSettings) -> None:
        settings.model.folder.mkdir()
        (settings.model.folder / "default-2020.npz").write_bytes(b"no model")
        outcome = self.retrain(store, settings, site.points("web", site.calm(CALM_S, 1)), CALM_S)
        assert outcome.accepted
        assert "the model before cannot be read: " in outcome.reason
        assert "default-2020.npz" in outcome.reason

    def test_other_metrics_are_not_compared(self, store: Store, settings: PredictorSettings) -> None:
        values = site.calm(CALM_S, 1)
        values[:, 1] = np.nan
        self.retrain(store, settings, site.points("web", values), CALM_S)
        later = site.points("web", site.calm(CALM_S, 2), site.at(3600))
        outcome = self.retrain(store, settings, later, 3600 + CALM_S)
        assert outcome.accepted
        assert outcome.reason == (
            "the model before knew cpu_ratio, network_bytes_per_s, disk_ops_per_s: not to be compared"
        )

    def test_old_files_are_rotated_out(self, store: Store, settings: PredictorSettings) -> None:
        two = settings.model_copy(update={"model": settings.model.model_copy(update={"keep": 2})})
        store.append(site.points("web", site.calm(CALM_S, 1)))
        outcomes = [train(store, two, site.at(CALM_S + later)) for later in range(3)]
        assert model_files.listed(two.model.folder, "default") == [outcomes[1].path, outcomes[2].path]
