"""All domains of a site under watch: in, a trained model and their newest steps; out, what a decision goes by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from predictor.forecast import Forecast, Watch, advance, begin
from predictor.policy import View
from predictor.series import METRICS, Series
from predictor.trained import Trained
from telemetry.units import NS_PER_S

SIGNALS: Final = ("evidence", "surprise", "p_failed_within", "p_abnormal_next")
"""What thresholds can be set on: names of what a `Forecast` has."""


@dataclass(frozen=True)
class Fleet:
    """Where the forecasts of all S domains of a trained model stand.

    `seen [W, S, M]` tells which of the model's metrics were there in each of the last W steps.
    """

    trained: Trained
    watch: Watch
    seen: NDArray[np.bool_]
    forecast: Forecast | None

    @classmethod
    def begin(cls, trained: Trained, coverage_steps: int) -> Self:
        """Nothing has been seen yet; coverage will be counted over `coverage_steps`."""
        shape = len(trained.domains), len(trained.model.metrics)
        return cls(trained, begin(*shape), np.zeros((coverage_steps, *shape), dtype=bool), None)

    def advance(self, series: Series) -> "Fleet":
        """Take every domain through the steps of `series`, each step for all domains at once."""
        values = self._values(series)
        watch, forecast = self.watch, self.forecast
        for step in values:
            watch, forecast = advance(self.trained.model, self.trained.history, watch, step)
        seen = np.concatenate([self.seen, ~np.isnan(values)])[-len(self.seen) :]
        return replace(self, watch=watch, forecast=forecast, seen=seen)

    def views(self, seen_ns: Mapping[str, int], now_ns: int) -> dict[str, View]:
        """What is known of the domains that the model knows, of those that were last seen at `seen_ns`."""
        if self.forecast is None:
            return {}
        signals = np.stack([getattr(self.forecast, name) for name in SIGNALS], axis=-1).tolist()
        coverage = self._coverage().tolist()
        return {
            domain: View(
                dict(zip(SIGNALS, signals[column], strict=True)), (now_ns - last_ns) / NS_PER_S, coverage[column]
            )
            for domain, last_ns in seen_ns.items()
            if (column := self.trained.column.get(domain)) is not None
        }

    def _values(self, series: Series) -> NDArray[np.float64]:
        """The steps `[T, S, M]` in the order of the model's domains and metrics."""
        metrics = [METRICS.index(metric) for metric in self.trained.model.metrics]
        values = np.full((series.grid.count, len(self.trained.domains), len(metrics)), np.nan)
        columns = np.array([self.trained.column.get(domain, -1) for domain in series.domains], dtype=np.intp)
        values[:, columns[columns >= 0]] = series.values[:, columns >= 0][:, :, metrics]
        return values

    def _coverage(self) -> NDArray[np.float64]:
        """Share `[S]` of each domain's own metrics that was there in the last steps."""
        known = self.trained.history.known
        return np.asarray((self.seen & known).sum(axis=(0, 2)) / np.maximum(known.sum(axis=1) * len(self.seen), 1))


def last_seen_ns(series: Series) -> dict[str, int]:
    """The end of the newest step in which anything of a domain was measured, of those with such a step."""
    measured = ~np.isnan(series.values).all(axis=2)
    steps = (measured * np.arange(1, series.grid.count + 1)[:, None]).max(axis=0, initial=0).tolist()
    grid = series.grid
    return {
        domain: grid.start_ns + step * grid.step_ns for domain, step in zip(series.domains, steps, strict=True) if step
    }
