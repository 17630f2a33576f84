"""Measured costs of the last minutes."""

import math

import pytest

from predictor.costs import measured
from predictor.policy_settings import CostSettings
from telemetry.point import Point
from telemetry.store import Store
from tests.predictor import site

SETTINGS = CostSettings(service_s=0.1, loss_weight_s=1.0, intervals_ms=(25, 500), response_s=(2.2, 0.8))


def checkpoint(second: int, **fields: float) -> Point:
    return Point("checkpoint", {"host": "a", "domain": "web"}, fields, site.at(second))


def test_figures_are_means_of_the_last_minutes(store: Store) -> None:
    store.append([checkpoint(-3600, pause_ms=900.0, send_ms=900.0, period_ms=1000.0)])
    store.append([checkpoint(second, pause_ms=100.0, send_ms=20.0, period_ms=500.0) for second in range(120)])
    store.append([checkpoint(second, pause_ms=300.0, send_ms=40.0, period_ms=1500.0) for second in range(120, 240)])
    store.append(site.points("web", site.calm(240, 1)))
    cost = measured(store, SETTINGS, site.at(300))["web"]
    assert cost.pause_s == pytest.approx(0.2, rel=0.1)
    assert cost.send_s == pytest.approx(0.03, rel=0.1)
    # busy 0.3 of the time it ran, which was four fifths
    assert cost.demand_ratio == pytest.approx(0.3 * 0.8, rel=0.05)
    assert (cost.service_s, cost.response_s) == (0.1, {25: 2.2, 500: 0.8})


def test_what_was_not_measured_is_unknown(store: Store) -> None:
    assert measured(store, SETTINGS, site.at(300)) == {}
    store.append([checkpoint(200, pause_ms=100.0)])
    cost = measured(store, SETTINGS, site.at(300))["web"]
    assert cost.pause_s == pytest.approx(0.1)
    assert math.isnan(cost.send_s)
    assert math.isnan(cost.demand_ratio)
