"""A simulated site: in, how many domains; out, what agents would have measured of them in a step, and their model."""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.learning import Lesson, learn
from predictor.model import FAILED, NORMAL, Recipe
from predictor.series import METRICS
from predictor.symbols import History, learn_history
from predictor.trained import Trained
from telemetry.point import Point
from telemetry.store import Store
from telemetry.units import NS_PER_S

Floats = NDArray[np.float64]

START_NS: Final = 1_700_000_000 * NS_PER_S
_MEAN: Final = np.array([0.3, 0.5, 2e5, 40.0])
_SIGMA: Final = np.array([0.03, 0.01, 2e4, 4.0])
_IN_TROUBLE: Final = np.array([0.6, 0.4, 2e5, 40.0])
_DOMAINS_A_HOST: Final = 100
_EVERY_NTH_IN_TROUBLE: Final = 100
_TAUGHT_STEPS: Final = 300
_TAUGHT_DOMAINS: Final = 20


class Site:
    """Domains of one kind, on hosts of 100; every hundredth is in trouble all the time."""

    def __init__(self, domains: int, step_ns: int, seed: int) -> None:
        self.domains = tuple(f"guest-{n:05d}" for n in range(domains))
        self._step_ns = step_ns
        self._seed = seed
        self._rng = np.random.default_rng(seed)

    @cached_property
    def trained(self) -> Trained:
        """A model learned from a few of them, and the history of all."""
        values, health = self._lesson()
        history = learn_history(np.where((health == NORMAL)[..., None], values, np.nan))
        model = learn([Lesson(values, history, health)], METRICS, Recipe(), self._seed)
        shape = len(self.domains), 1
        known = History(np.tile(_MEAN, shape), np.tile(_SIGMA, shape))
        return Trained(model, self.domains, known, self._step_ns, START_NS - _TAUGHT_STEPS * self._step_ns, START_NS)

    def measure(self, store: Store, step: int, samples: int) -> None:
        """Append a step's points, `samples` a domain, as agents do: those of a host and instant at once."""
        for sample in range(samples):
            time_ns = START_NS + step * self._step_ns + sample * self._step_ns // samples
            values = self._values(len(self.domains)).tolist()
            for first in range(0, len(self.domains), _DOMAINS_A_HOST):
                those = slice(first, first + _DOMAINS_A_HOST)
                store.append(
                    [
                        Point(
                            "domain",
                            {"host": f"host-{first}", "domain": domain},
                            dict(zip(METRICS, row, strict=True)),
                            time_ns,
                        )
                        for domain, row in zip(self.domains[those], values[those], strict=True)
                    ]
                )

    def end_ns(self, step: int) -> int:
        """When a step is over."""
        return START_NS + (step + 1) * self._step_ns

    def _values(self, *shape: int) -> Floats:
        """Metrics `[..., S, M]` of an instant."""
        values = _MEAN + _SIGMA * self._rng.normal(size=(*shape, len(_MEAN)))
        values[..., ::_EVERY_NTH_IN_TROUBLE, :] += _IN_TROUBLE
        return values

    def _lesson(self) -> tuple[Floats, NDArray[np.intp]]:
        """Calm, but for the first domain: it is in trouble in the last fifth of the steps."""
        values = _MEAN + _SIGMA * self._rng.normal(size=(_TAUGHT_STEPS, _TAUGHT_DOMAINS, len(_MEAN)))
        health = np.full(values.shape[:2], NORMAL)
        health[-_TAUGHT_STEPS // 5 :, 0] = FAILED
        values[-_TAUGHT_STEPS // 5 :, 0] += _IN_TROUBLE
        return values, health
