"""A small simulated site: what its agent would have measured, and the settings of its predictor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.learning import Lesson, learn
from predictor.model import Mode, Recipe
from predictor.series import METRICS
from predictor.settings import PredictorSettings
from predictor.symbols import learn_history
from predictor.trained import Trained
from telemetry.point import Point
from telemetry.units import NS_PER_S

START_NS = 1_700_000_000 * NS_PER_S
CALM = np.array([0.3, 0.5, 2e5, 40.0])
NOISE = np.array([0.03, 0.01, 2e4, 4.0])


def settings(folder: Path, **sections: Mapping[str, Any]) -> PredictorSettings:
    """One-second steps, quick training, and a store and models in `folder`; `sections` go over it."""
    document: dict[str, dict[str, Any]] = {
        "store": {"kind": "sqlite", "path": folder / "store.sqlite"},
        "model": {"folder": folder / "models", "restarts": 2},
        "series": {"step_s": 1.0, "lag_s": 0.0},
        "training": {"span_h": 0.5, "min_steps": 100, "incident_context_h": 0.05},
        "policy": {"max_age_s": 5.0, "dwell_s": 10.0, "calm_ticks": 3},
        "service": {"valid_for_s": 5.0, "coverage_steps": 5, "replay_steps": 60},
    }
    for name, section in sections.items():
        document[name] |= section
    return PredictorSettings.model_validate(document)


def calm(seconds: int, seed: int) -> NDArray[np.float64]:
    """Quiet life [seconds, metric]."""
    return np.asarray(CALM + NOISE * np.random.default_rng(seed).normal(size=(seconds, len(CALM))))


def leak(seconds: int, seed: int) -> NDArray[np.float64]:
    """Memory grows to its end, and the CPU with it."""
    ramp = np.linspace(0, 1, seconds)[:, None]
    return np.asarray(calm(seconds, seed) + ramp * np.array([0.5, 0.45, 0.0, 0.0]))


def lesson() -> Lesson:
    """200 seconds of `db`, calm, and of `web`, which leaks for the last 60, is abnormal then, and failed at the end."""
    values = np.stack([calm(200, 1), np.concatenate([calm(140, 2), leak(60, 3)])], axis=1)
    health = np.zeros((200, 2), dtype=np.intp)
    health[140:, 1] = np.repeat([1, 2], [50, 10])
    return Lesson(values, learn_history(values[:140]), health)


def trained(mode: Mode) -> Trained:
    """A model that has learned the lesson."""
    one = lesson()
    model = learn([one], METRICS, Recipe(mode=mode, restarts=2), rng=4)
    return Trained(model, ("db", "web"), one.history, NS_PER_S, START_NS, at(200))


def points(domain: str, values: NDArray[np.float64], start_ns: int = START_NS) -> list[Point]:
    """The points of one domain, one a second; NaN is not measured."""
    made = [
        Point.of(
            "domain",
            {"host": "a", "domain": domain},
            dict(zip(METRICS, row, strict=True)),
            start_ns + second * NS_PER_S,
        )
        for second, row in enumerate(values.tolist())
    ]
    return [point for point in made if point is not None]


def at(second: float) -> int:
    """The instant so many seconds after the start."""
    return START_NS + round(second * NS_PER_S)
