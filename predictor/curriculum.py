"""What to learn from: in, the store's past and its incidents; out, lessons with the calm history of each domain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor import incidents, series
from predictor.incidents import Incident
from predictor.learning import Lesson
from predictor.model import NORMAL
from predictor.series import LEAST_DEVIATIONS, METRICS
from predictor.settings import PredictorSettings
from predictor.symbols import learn_history
from telemetry.store import Grid, Store
from telemetry.units import NS_PER_S

Floats = NDArray[np.float64]
Health = NDArray[np.intp]

_SPARSE: Final = 0.5
"""A metric that a domain has in less than this share of its steps is no metric of that domain."""


class TooLittleDataError(Exception):
    """There is nothing to learn from; the text says what is missing."""


@dataclass(frozen=True)
class Episode:
    """Trouble of a domain and the calm before it."""

    domain: str
    start_ns: int
    stop_ns: int


@dataclass(frozen=True)
class Curriculum:
    """The `recent` past of the `domains` on its `grid`, older incidents as lessons of their own, and the `metrics`."""

    grid: Grid
    domains: tuple[str, ...]
    metrics: tuple[str, ...]
    recent: Lesson
    older: tuple[Lesson, ...]

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All there is to learn from."""
        return (self.recent, *self.older)

    @property
    def steps(self) -> int:
        """How many observed steps there are, all domains together."""
        return sum(int(_observed(lesson.values).sum()) for lesson in self.lessons)


def gather(store: Store, settings: PredictorSettings, now_ns: int) -> Curriculum:
    """Read the recent past, and older incidents; raises TooLittleDataError, IncidentError, StoreError."""
    told = incidents.listed(store, now_ns)
    grid, domains, values = _recent(store, settings, now_ns)
    health = incidents.labels(told, grid, domains)
    calm_steps = (_observed(values) & (health == NORMAL)).sum(axis=0)
    kept = np.flatnonzero(calm_steps >= settings.training.min_steps)
    if not kept.size:
        most = max(zip(calm_steps.tolist(), domains, strict=True), default=(0, "no domain"))
        raise TooLittleDataError(
            f"no domain was measured in {settings.training.min_steps} calm steps (training.min_steps);"
            f" the most are the {most[0]} of {most[1]}: watch longer, or lower it"
        )
    metrics = np.flatnonzero(~np.isnan(values[:, kept]).all(axis=(0, 1)))
    older = [_older(store, settings, told, episode) for episode in _episodes(settings, told, grid.start_ns)]
    return Curriculum(
        grid,
        tuple(domains[column] for column in kept),
        tuple(METRICS[m] for m in metrics),
        _lesson(values[:, kept], health[:, kept], metrics),
        tuple(_lesson(values, health, metrics) for values, health in older if len(values)),
    )


def _recent(store: Store, settings: PredictorSettings, now_ns: int) -> tuple[Grid, tuple[str, ...], Floats]:
    """The span of training, from the first step in which anything was measured."""
    step_ns, span_ns = settings.series.step_ns, round(settings.training.span_h * 3600 * NS_PER_S)
    stop_ns = series.complete_until_ns(now_ns, step_ns, settings.series.lag_ns)
    read = series.read(store, series.grid_between(stop_ns - span_ns, stop_ns, step_ns), settings.series.domains or None)
    first = int(np.argmax(_observed(read.values).any(axis=1))) if read.values.size else 0
    grid = series.grid_between(read.grid.start_ns + first * step_ns, stop_ns, step_ns)
    return grid, read.domains, _without_sparse(read.values[first:])


def _episodes(settings: PredictorSettings, told: Sequence[Incident], until_ns: int) -> list[Episode]:
    """The incidents that began before `until_ns`, those of a domain with no room for calm between them together."""
    context_ns = round(settings.training.incident_context_h * 3600 * NS_PER_S)
    episodes: list[Episode] = []
    for incident in sorted(told, key=lambda one: (one.domain, one.start_ns)):
        end_ns = until_ns if incident.end_ns is None else min(incident.end_ns, until_ns)
        before = episodes[-1] if episodes else None
        if end_ns <= incident.start_ns:  # begins later, or was withdrawn
            continue
        if before and before.domain == incident.domain and incident.start_ns <= before.stop_ns + context_ns:
            episodes[-1] = replace(before, stop_ns=end_ns)
        else:
            episodes.append(Episode(incident.domain, incident.start_ns - context_ns, end_ns))
    return episodes


def _older(
    store: Store, settings: PredictorSettings, told: Sequence[Incident], episode: Episode
) -> tuple[Floats, Health]:
    """What was measured in an episode; no steps where too little of the calm before it is known."""
    longest_h = settings.training.incident_context_h + settings.training.span_h  # some are forgotten to be closed
    stop_ns = min(episode.stop_ns, episode.start_ns + round(longest_h * 3600 * NS_PER_S))
    grid = series.grid_between(episode.start_ns, stop_ns, settings.series.step_ns)
    values = _without_sparse(series.read(store, grid, [episode.domain]).values)
    health = incidents.labels(told, grid, [episode.domain])
    calm_steps = (_observed(values) & (health == NORMAL)).sum()
    context_steps = settings.training.incident_context_h * 3600 / settings.series.step_s
    if calm_steps < min(settings.training.min_steps, context_steps / 2):
        return values[:0], health[:0]
    return values, health


def _lesson(values: Floats, health: Health, metrics: NDArray[np.intp]) -> Lesson:
    """Of all that was measured these `metrics`, and what was calm of it as the history."""
    measured = values[:, :, metrics]
    calm = np.where((health == NORMAL)[..., None], measured, np.nan)
    return Lesson(measured, learn_history(calm, np.array(LEAST_DEVIATIONS)[metrics]), health)


def _observed(values: Floats) -> NDArray[np.bool_]:
    """The steps `[T, S]` in which anything of a domain was measured."""
    return np.asarray(~np.isnan(values).all(axis=-1))


def _without_sparse(values: Floats) -> Floats:
    """The same without the metrics that a domain mostly lacks: it shall not be missed when it is lacking again."""
    seen = (~np.isnan(values)).sum(axis=0)
    often = seen >= _SPARSE * np.maximum(_observed(values).sum(axis=0), 1)[:, None]
    return np.where(often, values, np.nan)
