"""Forecasts and decisions as points: in, what was found for a fleet at an instant; out, what goes to the store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from predictor.fleet import Fleet
from predictor.model import Mode
from predictor.policy import Decision, Threshold
from telemetry.point import Point
from telemetry.units import NS_PER_S

_FIELDS: Final = ("p_normal", "p_abnormal", "p_failed", "p_failed_within", "surprise", "evidence", "load")


@dataclass(frozen=True)
class Stamp:
    """What all points of a tick share: its instant, its `sequence`, and how long its decisions may be acted on.

    `thresholds` are those that the forecasts were compared with: none where there is no model.
    """

    time_ns: int
    sequence: int
    mode: Mode
    valid_for_s: float
    thresholds: tuple[Threshold, ...] = ()


def forecast_points(fleet: Fleet, domains: Iterable[str], stamp: Stamp) -> list[Point]:
    """A point for each of the domains of which anything is forecast."""
    if fleet.forecast is None:
        return []
    rows = np.stack([getattr(fleet.forecast, name) for name in _FIELDS], axis=-1).tolist()
    horizon_s = fleet.trained.model.chains.recipe.horizon_steps * fleet.trained.step_ns / NS_PER_S
    columns = {domain: fleet.trained.column[domain] for domain in domains if domain in fleet.trained.column}
    points = []
    for domain, column in columns.items():
        row = rows[column]
        if row[0] == row[0]:  # not NaN: something has been seen of it
            fields = {**dict(zip(_FIELDS, row, strict=True)), "horizon_s": horizon_s}
            points.append(Point.of("forecast", {"domain": domain, "model": stamp.mode}, fields, stamp.time_ns))
    return [point for point in points if point is not None]


def decision_points(decisions: Mapping[str, Decision], stamp: Stamp) -> list[Point]:
    """A point for each decision."""
    levels = {
        f"{t.signal}_{level}": value for t in stamp.thresholds for level, value in (("low", t.low), ("high", t.high))
    }
    return [
        Point(
            "decision",
            {"domain": domain},
            {
                "interval_ms": decision.interval_ms,
                "reason": decision.reason,
                "mode": stamp.mode,
                "sequence": stamp.sequence,
                "valid_for_s": stamp.valid_for_s,
                **levels,
            },
            stamp.time_ns,
        )
        for domain, decision in decisions.items()
    ]
