"""The running predictor on a real store: what it decides, and what it survives."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor.policy import Decision
from predictor.service import Predictor, Tick, run
from predictor.settings import PredictorSettings
from predictor.shelf import Shelf
from predictor.training import train
from telemetry.point import Point, Value
from telemetry.settings import SqliteSettings
from telemetry.sqlite import SqliteStore
from telemetry.store import Store, StoreUnavailable
from tests.predictor import site
from tests.waiting import wait_for

LEARNED_S = 300
"""Every test begins after so many seconds of calm, from which a model was learned."""
SETTLED_S = 15
"""After so many seconds of calm more the interval is long: dwell and calm ticks are over."""


@pytest.fixture
def settings(tmp_path: Path) -> PredictorSettings:
    return site.settings(tmp_path)


@pytest.fixture
def learned(store: Store, settings: PredictorSettings) -> Store:
    store.append(site.points("web", site.calm(LEARNED_S, 1)))
    assert train(store, settings, site.at(LEARNED_S)).accepted
    return store


def live(predictor: Predictor, store: Store, values: NDArray[np.float64], start_s: int = LEARNED_S) -> list[Tick]:
    """A tick a second, each after the second's measurement of `web`."""
    ticks = []
    for second, row in enumerate(values, start=start_s):
        store.append(site.points("web", row[None], site.at(second)))
        ticks.append(predictor.tick(site.at(second + 1)))
        store.append(ticks[-1].points)
    return ticks


def intervals(ticks: Sequence[Tick], domain: str = "web") -> list[float]:
    return [tick.decisions[domain].interval_ms for tick in ticks]


def test_interval_follows_the_trouble(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    before = live(predictor, learned, site.calm(SETTLED_S, 2))
    during = live(predictor, learned, site.leak(30, 3), LEARNED_S + SETTLED_S)
    after = live(predictor, learned, site.calm(150, 4), LEARNED_S + SETTLED_S + 30)
    assert intervals(before)[0] == 25
    assert intervals(before)[-1] == 2000
    assert intervals(during)[-15:] == [25] * 15
    assert intervals(after)[-1] == 2000
    assert during[-1].decisions["web"].reason.startswith("evidence ")


def test_points_tell_it_all(learned: Store, settings: PredictorSettings) -> None:
    ticks = live(Predictor(learned, settings), learned, site.calm(3, 2))
    now_ns = site.at(LEARNED_S + 3)
    (forecast,) = learned.latest("forecast", since_ns=now_ns)
    assert forecast.tags == {"domain": "web", "model": "default"}
    known = {name: value for name, value in forecast.fields.items() if isinstance(value, float)}
    assert known["p_normal"] + known["p_abnormal"] + known["p_failed"] == pytest.approx(1)
    assert known["horizon_s"] == 5
    (decision,) = learned.latest("decision", since_ns=now_ns)
    assert decision.time_ns == now_ns
    assert decision.fields["interval_ms"] == 25
    assert decision.fields["reason"] == ticks[-1].decisions["web"].reason
    assert (decision.fields["mode"], decision.fields["valid_for_s"]) == ("default", 5.0)
    model = Shelf(settings.model.folder, settings.model.mode, settings.series.step_ns)
    model.look()
    assert model.model is not None
    calm = model.model.model.calm
    assert calm is not None
    levels = (decision.fields["evidence_low"], decision.fields["evidence_high"])
    assert levels == (calm.evidence_low, calm.evidence_high)
    told = learned.events("decision", 0, now_ns + 1)
    sequences = [point.fields["sequence"] for point in told]
    assert sequences == sorted(set(sequences))
    (event,) = learned.events("event", 0, now_ns + 1)
    assert str(event.fields["text"]).endswith("is in use")


class TestNoForecast:
    def test_without_a_model(self, store: Store, settings: PredictorSettings) -> None:
        ticks = live(Predictor(store, settings), store, site.calm(20, 2))
        assert intervals(ticks) == [25] * 20
        assert ticks[-1].decisions["web"].reason == "no forecast: there is no model yet"
        assert "evidence_high" not in ticks[-1].points[0].fields
        assert store.latest("forecast", since_ns=0) == []

    def test_of_a_domain_that_was_not_learned(self, learned: Store, settings: PredictorSettings) -> None:
        learned.append(site.points("new", site.calm(30, 5), site.at(LEARNED_S)))
        ticks = live(Predictor(learned, settings), learned, site.calm(30, 2))
        assert intervals(ticks, "new") == [25] * 30
        assert intervals(ticks, "web")[-1] == 2000
        assert ticks[-1].decisions["new"].reason == "no forecast: the model has not learned this domain"

    def test_of_a_domain_that_is_named_but_was_never_seen(self, learned: Store, tmp_path: Path) -> None:
        settings = site.settings(tmp_path, series={"domains": ["web", "lost"]})
        tick = Predictor(learned, settings).tick(site.at(LEARNED_S))
        assert list(tick.decisions) == ["web", "lost"]
        assert tick.decisions["lost"].interval_ms == 25

    def test_of_an_empty_store(self, store: Store, settings: PredictorSettings) -> None:
        assert Predictor(store, settings).tick(site.at(0)).decisions == {}


def test_silence_protects_and_is_forgotten_in_the_end(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    start_s = LEARNED_S + SETTLED_S
    live(predictor, learned, site.calm(SETTLED_S, 2))
    silent = [predictor.tick(site.at(start_s + second)) for second in range(1, 80)]
    told = [tick.decisions["web"] for tick in silent if "web" in tick.decisions]
    assert [decision.interval_ms for decision in told[4:]] == [25] * (len(told) - 4)
    assert len(told) == settings.service.replay_steps - 1
    assert told[-1].reason == "newest observation is 59 s old, allowed are 5 s"


def test_metric_that_is_lost_is_doubt(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    live(predictor, learned, site.calm(SETTLED_S, 2))
    without_memory = site.calm(10, 3)
    without_memory[:, 1] = np.nan
    ticks = live(predictor, learned, without_memory, LEARNED_S + SETTLED_S)
    assert ticks[-1].decisions["web"].interval_ms == 25
    assert ticks[-1].decisions["web"].reason == "75% of the metrics were seen, needed are 80%"


class TestRestart:
    def test_goes_on_with_the_same_forecast_but_protects_first(self, learned: Store, tmp_path: Path) -> None:
        settings = site.settings(tmp_path, service={"replay_steps": 250})
        old = Predictor(learned, settings)
        live(old, learned, site.calm(SETTLED_S, 2))
        now_ns = site.at(LEARNED_S + SETTLED_S)
        new = Predictor(learned, settings).tick(now_ns)
        assert new.decisions["web"].interval_ms == 25
        assert new.decisions["web"].reason == "calm for 1 of 3 ticks"
        expected, found = (forecast_of(points) for points in (old.tick(now_ns).points, new.points))
        assert found == pytest.approx(expected, rel=1e-3)

    def test_sequence_grows_though_the_clock_was_set_back(self, learned: Store, settings: PredictorSettings) -> None:
        ticks = live(Predictor(learned, settings), learned, site.calm(3, 2))
        back = Predictor(learned, settings).tick(site.at(-3600))
        assert sequence_of(back) is None  # nothing was measured then, so there is no decision
        learned.append(site.points("web", site.calm(1, 9), site.at(-3600)))
        again = Predictor(learned, settings).tick(site.at(-3599))
        assert (sequence_of(again) or 0) > (sequence_of(ticks[-1]) or 0)

    def test_sequence_that_no_clock_gave_is_not_counted_on(self, learned: Store, settings: PredictorSettings) -> None:
        forged: dict[str, Value] = {
            "interval_ms": 2000.0,
            "reason": "calm",
            "mode": "x",
            "sequence": 2**63 - 1,
            "valid_for_s": 20.0,
        }
        learned.append([Point("decision", {"domain": "web"}, forged, site.at(LEARNED_S - 1))])
        (tick,) = live(Predictor(learned, settings), learned, site.calm(1, 2))
        assert sequence_of(tick) == site.at(LEARNED_S + 1) // 10**6


def test_second_predictor_is_doubt_until_it_has_gone(learned: Store, settings: PredictorSettings) -> None:
    first, second = Predictor(learned, settings), Predictor(learned, settings)
    live(first, learned, site.calm(SETTLED_S, 2))
    learned.append(second.tick(site.at(LEARNED_S + SETTLED_S) + 10**6).points)
    start_s = LEARNED_S + SETTLED_S
    (beside,) = live(first, learned, site.calm(1, 3), start_s)
    assert beside.decisions["web"] == Decision(25, "another predictor decides, too: stop one of them")
    assert second.tick(site.at(start_s + 1) + 10**6).decisions == beside.decisions
    after = live(first, learned, site.calm(SETTLED_S, 4), start_s + 1)
    assert intervals(after)[1] == 25
    assert intervals(after)[-1] == 2000


def forecast_of(points: Sequence[Point]) -> dict[str, Any]:
    (found,) = (dict(point.fields) for point in points if point.measurement == "forecast")
    return found


def sequence_of(tick: Tick) -> int | None:
    found = [point.fields["sequence"] for point in tick.points if point.measurement == "decision"]
    return int(found[0]) if found else None


def test_clock_set_back_protects_and_recovers(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    live(predictor, learned, site.calm(SETTLED_S, 2))
    ticks = live(predictor, learned, site.calm(150, 3), LEARNED_S - 100)
    assert ticks[0].decisions["web"].reason.startswith("time ran back by 114 s")
    until_it_has_caught_up = 100 + SETTLED_S - 2
    assert set(intervals(ticks)[:until_it_has_caught_up]) == {25}
    assert intervals(ticks)[-1] == settings.policy.calm_ms


def test_points_from_the_future_are_doubt_until_it_has_come(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    assert intervals(live(predictor, learned, site.calm(SETTLED_S, 2)))[-1] == settings.policy.calm_ms
    now_s = LEARNED_S + SETTLED_S
    learned.append(site.points("web", site.calm(8, 5), site.at(now_s)))
    (tick,) = live(predictor, learned, site.calm(1, 6), now_s)
    assert tick.decisions["web"] == Decision(
        25, "no forecast: it was measured in the future; compare its host's clock with this one's"
    )
    assert settings.policy.calm_ms in intervals(live(predictor, learned, site.calm(20, 7), now_s + 1))


def test_late_points_count_within_the_lag(learned: Store, tmp_path: Path) -> None:
    settings = site.settings(tmp_path, series={"lag_s": 2.0})
    predictor = Predictor(learned, settings)
    for second in range(LEARNED_S, LEARNED_S + 20):
        learned.append(site.points("web", site.calm(1, second), site.at(second - 1)))
        tick = predictor.tick(site.at(second + 1))
    assert tick.decisions["web"].interval_ms == 2000


def test_newer_model_is_picked_up_while_running(learned: Store, settings: PredictorSettings) -> None:
    predictor = Predictor(learned, settings)
    live(predictor, learned, site.calm(SETTLED_S, 2))
    now_s = LEARNED_S + SETTLED_S
    learned.append(site.points("new", site.calm(LEARNED_S, 6), site.at(now_s - LEARNED_S)))
    assert train(learned, settings, site.at(now_s)).accepted
    tick = predictor.tick(site.at(now_s))
    assert tick.decisions["new"].reason == "calm for 1 of 3 ticks"
    assert tick.decisions["web"].interval_ms == 2000
    assert [point.tags["kind"] for point in tick.points if point.measurement == "event"] == ["model"]


class TestCost:
    cost: ClassVar = {"service_s": 0.02, "loss_weight_s": 50.0, "mean_time_to_failure_h": 100.0}

    def last(self, store: Store, tmp_path: Path, checkpoints: Sequence[Point]) -> Tick:
        predictor = Predictor(store, site.settings(tmp_path, policy={"cost": self.cost}))
        store.append(checkpoints)
        return live(predictor, store, site.calm(SETTLED_S, 2))[-1]

    def test_measured_costs_choose_the_calm_interval(self, learned: Store, tmp_path: Path) -> None:
        fields = {"pause_ms": 20.0, "send_ms": 5.0, "period_ms": 520.0}
        seen = [
            Point("checkpoint", {"host": "a", "domain": "web"}, fields, site.at(second))
            for second in range(LEARNED_S - 100, LEARNED_S)
        ]
        decision = self.last(learned, tmp_path, seen).decisions["web"]
        assert 25 < decision.interval_ms < 2000
        assert decision.reason == "calm; the cheapest interval was taken"

    def test_without_checkpoints_measured_there_is_no_lengthening(self, learned: Store, tmp_path: Path) -> None:
        decision = self.last(learned, tmp_path, []).decisions["web"]
        assert decision.interval_ms == 25
        assert "the cost of checkpoints is not known" in decision.reason


class Broken(SqliteStore):
    """A store that fails while `down`."""

    down = False
    refused = 0

    def append(self, points: Sequence[Point]) -> None:
        if self.down:
            self.refused += 1
            raise StoreUnavailable("no answer; is it running?")
        super().append(points)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Broken]:
    store = Broken(SqliteSettings(kind="sqlite", path=tmp_path / "broken.sqlite"))
    yield store
    store.close()


def test_run_outlives_the_store_and_stops_when_told(
    broken: Broken, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = site.settings(tmp_path, series={"step_s": 0.1, "domains": ["web"]})
    stop = threading.Event()
    service = threading.Thread(target=run, args=(Predictor(broken, settings), broken, settings, stop.wait))
    service.start()

    def decided() -> int:
        return len(broken.events("decision", 0, time.time_ns() + 1))

    try:
        wait_for(lambda: decided() >= 2)
        broken.down = True
        wait_for(lambda: broken.refused >= 3)
        before = decided()
        broken.down = False
        wait_for(lambda: decided() > before)
    finally:
        stop.set()
        service.join(timeout=10)
    assert not service.is_alive()
    assert caplog.text.count("no forecasts, so the governors protect: no answer; is it running?") == 1
