"""A forecast tick for a whole site: in, its points in SQLite and a model; out, how long to read, decide and write."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.rows import Goal, Row
from benchmarks.scratch import scratch_folder
from benchmarks.site import START_NS, Site
from predictor import model_files
from predictor.service import Predictor
from predictor.settings import PredictorSettings
from telemetry.store import Store
from telemetry.stores import open_store

SEED: Final = 7
_SAMPLES_A_STEP: Final = 5
"""An agent measures once a second, and a step is five seconds."""


@dataclass(frozen=True)
class Plan:
    """How many domains, and how many ticks to time."""

    domains: int
    ticks: int = 9
    goal: Goal | None = None


FULL: Final = (Plan(1_000), Plan(10_000, goal=Goal("ours", 1.0)))
QUICK: Final = (Plan(1_000, ticks=3),)


def rows(*, quick: bool) -> Iterator[Row]:
    """A row for each size of site."""
    for plan in QUICK if quick else FULL:
        yield row(plan)


def row(plan: Plan) -> Row:
    """Ticks as the running predictor makes them, each after a step that was measured in full."""
    with scratch_folder() as folder:
        settings = _settings(folder)
        store = open_store(settings.store)
        try:
            spent_s = tuple(_ticks(plan, settings, store))
        finally:
            store.close()
    return Row(
        bench="tick",
        case=f"{plan.domains:,} domains, SQLite",
        unit="s",
        better="less",
        ours=spent_s,
        goal=plan.goal,
        seed=SEED,
        note=f"reads a step of {_SAMPLES_A_STEP} samples a domain, advances all domains in one batched step, decides,"
        " and appends forecasts and decisions, synced",
    )


def _settings(folder: Path) -> PredictorSettings:
    document = {"store": {"kind": "sqlite", "path": folder / "store.sqlite"}, "model": {"folder": folder / "models"}}
    return PredictorSettings.model_validate(document)


def _ticks(plan: Plan, settings: PredictorSettings, store: Store) -> Iterator[float]:
    """Seconds of each tick; those are not counted that fill the time over which coverage is counted."""
    site = Site(plan.domains, settings.series.step_ns, SEED)
    model_files.save(settings.model.folder, settings.model.mode, START_NS, site.trained.contents())
    predictor, covered = Predictor(store, settings), settings.service.coverage_steps
    for step in range(covered + plan.ticks):
        site.measure(store, step, samples=1 if step < covered else _SAMPLES_A_STEP)
        now_ns = site.end_ns(step) + settings.series.lag_ns
        began_s = time.perf_counter()
        store.append(predictor.tick(now_ns).points)
        if step >= covered:
            yield time.perf_counter() - began_s
