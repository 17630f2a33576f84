"""What is known now: out, queries over all domains or hosts, or over those chosen, for dashboards and alerts."""

from collections.abc import Sequence
from typing import Final

from dashboards.flux import (
    DASHBOARD,
    Flux,
    age_s,
    array,
    newest,
    newest_of_each,
    points,
)
from dashboards.histories import standing_still
from predictor.policy_settings import PolicySettings
from predictor.settings import ServiceSettings

POLICY: Final = PolicySettings()
VALID_FOR_S: Final = ServiceSettings().valid_for_s
"""Older decisions no governor acts on."""
SILENCE_S: Final = 60
"""Of an agent, whose own health comes every 10 s; and of the reports that a domain is protected."""
LATELY: Final = "1m"


def protection(where: Sequence[str] = (), since: str = DASHBOARD) -> Flux:
    """Domain and `protected`, 1 or 0: 0 also where nothing was said of it lately, on whichever host it runs.

    Every domain that was seen in the time shown has a row: silence is not safety.
    """
    seen = newest_of_each(points("domain", "cpu_ratio", where=where, since=since), ["domain"])
    said = newest_of_each(points("checkpoint", "protected", where=where, since=since), ["domain"])
    fresh = f"r._value and {age_s()} < {SILENCE_S}.0"
    text = (
        f"seen = {seen.pipe('map(fn: (r) => ({domain: r.domain, protected: 0}))').text}\n"
        f"said = {said.pipe(f'map(fn: (r) => ({{domain: r.domain, protected: if {fresh} then 1 else 0}}))').text}\n"
        "union(tables: [seen, said])"
    )
    return Flux(text, imports=seen.imports).pipe(
        'group(columns: ["domain"])', 'max(column: "protected")', "group()", columns=("domain", "protected")
    )


def homes(where: Sequence[str] = ()) -> Flux:
    """Domain, `host` where it was seen running last, and `seen_s` ago."""
    return (
        points("domain", "cpu_ratio", where=where)
        .pipe("last()", 'group(columns: ["domain"])', 'sort(columns: ["_time"])', 'last(column: "_time")', "group()")
        .pipe(f"map(fn: (r) => ({{domain: r.domain, host: r.host, seen_s: {age_s()}}}))")
        .keep("domain", "host", "seen_s")
    )


def forecast_ages(where: Sequence[str] = (), since: str = DASHBOARD) -> Flux:
    """Domain, and `age_s` of its newest forecast."""
    return _ages(points("forecast", "p_failed", where=where, since=since), "domain")


def forecasts(fields: Sequence[str], where: Sequence[str] = ()) -> Flux:
    """Domain, and fields of its newest forecast."""
    return newest(points("forecast", *fields, where=where), ["domain"], fields)


def decisions(field: str, where: Sequence[str] = ()) -> Flux:
    """Domain, and a field of its newest decision."""
    return newest(points("decision", field, where=where), ["domain"], [field])


def checkpoints(fields: Sequence[str], where: Sequence[str] = ()) -> Flux:
    """Domain, and fields of its newest checkpoint report."""
    return newest(points("checkpoint", *fields, where=where), ["domain"], fields)


def lost_now(where: Sequence[str] = ()) -> Flux:
    """Domain, and the newest share of time lost as `lost_ratio`."""
    return (
        standing_still(where, since=LATELY)
        .pipe("filter(fn: (r) => exists r._value)", "last()", "group()", 'rename(columns: {_value: "lost_ratio"})')
        .keep("domain", "lost_ratio")
    )


def silences(since: str = DASHBOARD) -> Flux:
    """Host, and `age_s` of the newest word of its agent."""
    return _ages(points("agent", "rss_bytes", since=since), "host")


def training_ages(since: str = DASHBOARD) -> Flux:
    """Model, and `age_s` of its newest training, whatever came of it."""
    return _ages(points("training", "steps", since=since), "model")


def _ages(seen: Flux, tag: str) -> Flux:
    """Each value of the tag, and `age_s` of its newest point."""
    return (
        newest_of_each(seen, [tag])
        .pipe("group()", f"map(fn: (r) => ({{{tag}: r.{tag}, age_s: {age_s()}}}))")
        .keep(tag, "age_s")
    )


def lost_points() -> Flux:
    """Points dropped or refused, ever, over all agents, as one number."""
    return newest_of_each(points("agent", "dropped", "quarantined"), ["host"]).pipe(
        "group()", "sum()", 'keep(columns: ["_value"])', columns=("_value",)
    )


def total(source: Flux, test: str) -> Flux:
    """In how many rows the test holds, as one number."""
    # with no column left of its input, map would give no rows at all
    count = f"map(fn: (r) => ({{r with _value: if {test} then 1.0 else 0.0}}))"
    return source.pipe(count, "sum()", columns=("_value",))


def highest(source: Flux, column: str) -> Flux:
    """The highest value of a column, as one number."""
    return source.pipe(f'max(column: "{column}")', f"keep(columns: {array([column])})", columns=(column,))
