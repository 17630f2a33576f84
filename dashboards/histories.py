"""What happened in the time shown: out, queries for curves, states, events, decisions, trainings and results."""

from collections.abc import Sequence
from typing import Final

from dashboards.flux import (
    DASHBOARD,
    NS_PER_S,
    STOP,
    Flux,
    Fold,
    curves,
    folded,
    points,
    with_gaps,
)
from telemetry.schema import SCHEMA

MINUTE: Final = "1m"
"""The window of the store's folded points that are kept longest (roles/influxdb)."""
UNKNOWN, NORMAL, ABNORMAL, FAILED = range(-1, 3)
REMARKABLE: Final = ('r.kind != "interval"', 'r.kind != "applied"', 'r.kind != "model"')
"""Tests of events that leave out what happens all day."""
_STATES: Final = ("p_normal", "p_abnormal", "p_failed")


def standing_still(where: Sequence[str] = (), since: str = DASHBOARD, window: str = "") -> Flux:
    """Curve by domain: share of the time that it stood still for checkpoints."""
    source = points("checkpoint", "pause_ms", "rate_per_s", where=where, since=since, window=window)
    return curves(source, Fold.MEAN, ["domain"]).pipe(
        'group(columns: ["domain"])',
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        "map(fn: (r) => ({r with _value: r.pause_ms * r.rate_per_s / 1000.0}))",
        "map(fn: (r) => ({r with _value: if r._value > 1.0 then 1.0 else r._value}))",  # pauses are upper bounds
        'keep(columns: ["_time", "_value", "domain"])',
        columns=("_time", "_value", "domain"),
    )


def states(where: Sequence[str] = ()) -> Flux:
    """Curve by domain: normal (0) where that is likelier than not, else abnormal (1) or failed (2); -1 is none."""
    known = " and ".join(f"exists r.{name}" for name in _STATES)
    worst = (
        f"if not ({known}) then {UNKNOWN} else if r.p_normal > 0.5 then {NORMAL}"
        f" else if r.p_failed >= r.p_abnormal then {FAILED} else {ABNORMAL}"
    )
    return curves(points("forecast", *_STATES, where=where), Fold.MEAN, ["domain"]).pipe(
        'group(columns: ["domain"])',
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        f'map(fn: (r) => ({{_time: r._time, domain: r.domain, _field: "forecast", _value: {worst}}}))',
        columns=("_time", "_value", "domain"),
    )


def protected_curve(where: Sequence[str] = ()) -> Flux:
    """Curve by domain: 1 while all of a window was protected, 0 where not, -1 where nobody told."""
    told = points("checkpoint", "protected", where=where)
    lost = told.pipe("filter(fn: (r) => r._value == false)")
    counted = folded(Fold.COUNT)
    text = (
        f"told = {told.pipe(counted, 'map(fn: (r) => ({r with _value: 1.0}))').text}\n"
        f"lost = {lost.pipe(counted, 'map(fn: (r) => ({r with _value: 0.0}))').text}\n"
        "union(tables: [told, lost])"
    )
    return with_gaps(Flux(text), "mean", ["domain"]).pipe(
        f"fill(value: {UNKNOWN}.0)",
        "map(fn: (r) => ({r with _value: if r._value > 0.0 and r._value < 1.0 then 0.0 else r._value}))",
        'set(key: "_field", value: "protection")',
    )


def protected_share() -> Flux:
    """Curve by domain: in which share of its minutes that were told of it was protected all the time."""
    told = points("checkpoint", "protected", window=MINUTE)
    return curves(told.pipe("map(fn: (r) => ({r with _value: if r._value then 1.0 else 0.0}))"), Fold.MEAN, ["domain"])


def balance() -> Flux:
    """Domain, and of the time shown: `protected_ratio` of what was told of, `unprotected_s`, and `untold_s`."""
    added = ", ".join(f"{name}: accumulator.{name} + r.{name}" for name in ("told_s", "unprotected_s"))
    shown_s = f"float(v: int(v: {STOP}) - int(v: {DASHBOARD})) / {NS_PER_S}"
    return (
        points("checkpoint", "protected", window=MINUTE)
        .pipe("toInt()", 'group(columns: ["domain"])', 'sort(columns: ["_time"])')
        .pipe(f"aggregateWindow(every: {MINUTE}, fn: min, createEmpty: false)")  # one of two hosts, as it moved
        .pipe("map(fn: (r) => ({r with told_s: 60.0, unprotected_s: if r._value == 1 then 0.0 else 60.0}))")
        .pipe(f"reduce(identity: {{told_s: 0.0, unprotected_s: 0.0}}, fn: (r, accumulator) => ({{{added}}}))")
        .pipe(
            f"map(fn: (r) => ({{r with protected_ratio: 1.0 - r.unprotected_s / r.told_s,"
            f" untold_s: {shown_s} - r.told_s}}))",
            "map(fn: (r) => ({r with untold_s: if r.untold_s < 0.0 then 0.0 else r.untold_s}))",
            "group()",
        )
        .keep("domain", "protected_ratio", "unprotected_s", "untold_s")
    )


def guard_curve(where: Sequence[str] = ()) -> Flux:
    """Curve by domain: the shortest interval chosen in each window."""
    return curves(points("decision", "interval_ms", where=where), Fold.LOWEST, ["domain"]).pipe(
        'set(key: "_field", value: "interval")'
    )


def events(*tests: str) -> Flux:
    """The newest events: time, kind, domain, host and text."""
    chosen = [f"filter(fn: (r) => {test})" for test in tests]
    return (
        points("event", "text")
        .pipe(*chosen, "group()", 'sort(columns: ["_time"], desc: true)', "limit(n: 200)")
        .pipe('rename(columns: {_value: "text"})')
        .keep("_time", "kind", "domain", "host", "text")
    )


def trainings(*fields: str, since: str = DASHBOARD) -> Flux:
    """Training runs: time, model and the fields, which must be of one type."""
    return (
        points("training", *fields, since=since)
        .pipe(
            'group(columns: ["model"])',
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            "group()",
        )
        .keep("_time", *fields)
    )


TRAININGS: Final = (
    trainings("reason", since="30d"),
    trainings("accepted", since="30d"),
    trainings("steps", "domains", since="30d"),
    trainings("duration_s", "heldout_log_likelihood", "heldout_log_likelihood_before", since="30d"),
)
"""What is known of the training runs of a month, each answer with a column `_time`."""


def turns(where: Sequence[str]) -> Flux:
    """When the interval of the domain chosen changed, the newest first: time, interval and reason."""
    changed = points("decision", "interval_ms", where=where).pipe(
        "group()",
        'sort(columns: ["_time"])',
        'duplicate(column: "_value", as: "step")',
        'difference(columns: ["step"], keepFirst: true)',
        "filter(fn: (r) => not exists r.step or r.step != 0.0)",
        'rename(columns: {_value: "interval_ms"})',
        'keep(columns: ["_time", "interval_ms"])',
    )
    said = points("decision", "reason", where=where).pipe(
        "group()", 'rename(columns: {_value: "reason"})', 'keep(columns: ["_time", "reason"])'
    )
    text = (
        f'changed = {changed.text}\nsaid = {said.text}\njoin(tables: {{changed: changed, said: said}}, on: ["_time"])'
    )
    return (
        Flux(text).pipe('sort(columns: ["_time"], desc: true)', "limit(n: 100)").keep("_time", "interval_ms", "reason")
    )


def results(where: Sequence[str]) -> Flux:
    """Label, answers, errors, and the response times over the time shown."""
    return (
        points("response", *SCHEMA["response"].fields, where=where)
        .pipe("toFloat()", 'group(columns: ["label"])')
        .pipe('pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")')
        .pipe(*_over_windows(), "group()")
        .keep("label", *SCHEMA["response"].fields)
    )


def _over_windows() -> tuple[str, str, str]:
    """One row of many windows: what is counted is summed, the longest stays, all else is weighted by good answers.

    A window of errors alone has no times.
    """
    means = ("mean_ms", "p50_ms", "p95_ms", "p99_ms")
    longest = ("max_ms", "gap_ms")
    known = ["label: r.label", "count: r.count", "errors: r.errors"]
    known += ["timed: if exists r.mean_ms then r.count - r.errors else 0.0"]
    known += [f"{name}: if exists r.{name} then r.{name} else 0.0" for name in (*means, *longest)]
    sums = {name: f"accumulator.{name} + r.{name}" for name in ("count", "errors", "timed")}
    sums |= {name: f"accumulator.{name} + r.{name} * r.timed" for name in means}
    sums |= {name: f"if r.{name} > accumulator.{name} then r.{name} else accumulator.{name}" for name in longest}
    zero = ", ".join(f"{name}: 0.0" for name in sums)
    added = ", ".join(f"{name}: {formula}" for name, formula in sums.items())
    divided = ", ".join(f"{name}: r.{name} / r.timed" for name in means)
    return (
        f"map(fn: (r) => ({{{', '.join(known)}}}))",
        f"reduce(identity: {{{zero}}}, fn: (r, accumulator) => ({{{added}}}))",
        f"map(fn: (r) => ({{r with {divided}}}))",
    )
