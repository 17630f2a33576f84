"""What is kept of a demo: in, its site, its store and what the director saw; out, the record."""

import os
import platform
from collections.abc import Sequence
from typing import Final

import psutil

from demo.director import Director
from demo.record import Curve, Event, Record
from demo.site import CALM_MS, CONFIG_FILES, DOMAIN, PROTECTIVE_MS
from predictor.series import METRICS
from telemetry.point import Point
from telemetry.revision import commit
from telemetry.store import Store

_FORECAST: Final = ("p_failed_within", "evidence", "horizon_s")


def capture(director: Director, store: Store) -> Record:
    """The record; raises StoreError."""
    start_ns, stop_ns = director.spans[0].start_ns, director.spans[-1].end_ns
    where = {"domain": DOMAIN}
    metrics = store.events("domain", start_ns, stop_ns, where=where)
    forecasts = store.events("forecast", start_ns, stop_ns, where=where)
    return Record(
        plan=director.plan,
        spans=tuple(director.spans),
        samples=tuple(director.observer.samples),
        curves={name: _curve(metrics, name) for name in METRICS}
        | {name: _curve(forecasts, name) for name in _FORECAST},
        events=_events(store, start_ns, stop_ns),
        alarms=tuple(director.alarms),
        protective_ms=PROTECTIVE_MS,
        calm_ms=CALM_MS,
        machine=_machine(),
        commit=commit(),
        files={name: (director.site.folder / name).read_text(encoding="utf-8") for name in CONFIG_FILES},
    )


def _curve(points: Sequence[Point], name: str) -> Curve:
    seen = [(point.time_ns, value) for point in points if isinstance(value := point.fields.get(name), float)]
    return Curve(tuple(time_ns for time_ns, _ in seen), tuple(value for _, value in seen))


def _events(store: Store, start_ns: int, stop_ns: int) -> tuple[Event, ...]:
    told = [
        Event(point.time_ns, point.tags["kind"], str(point.fields["text"]))
        for point in store.events("event", start_ns, stop_ns)
    ]
    told += [
        Event(point.time_ns, f"labelled {point.fields['level']}", str(point.fields.get("text", "")))
        for point in store.events("incident", start_ns, stop_ns)
    ]
    told += [
        Event(point.time_ns, "training", f"{point.fields['reason']} ({point.fields.get('steps')} steps)")
        for point in store.events("training", start_ns, stop_ns)
    ]
    return tuple(sorted(told, key=lambda event: event.time_ns))


def _machine() -> str:
    memory_bytes = psutil.virtual_memory().total
    return f"{os.cpu_count()} CPUs, {memory_bytes / 2**30:.0f} GiB of memory, {platform.platform()}"
