"""Hefery's own health: agents, spools, forecasts, training."""

from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.boards import tables
from dashboards.boards.shared import (
    FORECAST_AGE_STEPS,
    SILENCE_STEPS,
    SPOOL_STEPS,
)
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Fold, any_of, curves, newest, points
from dashboards.look import GREEN, RED, cell, unit_of, words
from dashboards.panel import graph, stat, table

_COUNTS: Final = ("spool_points", "sent", "dropped", "quarantined", "rss_bytes")
_LOSS: Final = ((None, "transparent"), (1, RED))
_TROUBLE: Final = ("store_refused", "spool_damaged", "malformed_report", "report_socket_failed")

_AGENT_GAP_MS: Final = 5 * 60_000
"""Agents tell of themselves less often than of what they watch."""

_NOW: Final = Row(
    4,
    (
        stat(
            "Longest silence of an agent",
            "Age of the newest word of the agent that was silent longest; they speak every 10 s.",
            q.highest(q.silences(), "age_s"),
            "s",
            SILENCE_STEPS,
            width=6,
            decimals=0,
        ),
        stat(
            "Oldest point in a spool",
            "How long the oldest point waits to be sent: the store is down, refuses, or is too slow. Nothing is lost"
            " until a spool reaches its bounds.",
            q.highest(newest(points("agent", "spool_oldest_s"), ["host"], ["spool_oldest_s"]), "spool_oldest_s"),
            unit_of("agent", "spool_oldest_s"),
            SPOOL_STEPS,
            width=6,
            decimals=0,
        ),
        stat(
            "Oldest forecast",
            f"Age of the newest forecast of the domain that has waited longest; {q.VALID_FOR_S:g} s is too old.",
            q.highest(q.forecast_ages(), "age_s"),
            "s",
            FORECAST_AGE_STEPS,
            width=6,
            decimals=0,
        ),
        stat(
            "Points lost",
            "Points dropped at the spools' bounds or refused by the store, ever, over all agents.",
            q.lost_points(),
            unit_of("agent", "dropped"),
            ((None, GREEN), (1, RED)),
            width=6,
            mappings=words(_0=("none", GREEN)),
        ),
    ),
)

PIPELINE: Final = Dashboard(
    "pipeline",
    "Hefery 6: Pipeline",
    "Whether Hefery itself works, from the agents over the store to forecasts and training.",
    (
        _NOW,
        Row(
            8,
            (
                table(
                    "Agents",
                    "Every agent heard in the time shown, the longest silent first.",
                    [
                        q.silences(),
                        newest(points("agent", *_COUNTS), ["host"], _COUNTS),
                        newest(
                            points("agent", "spool_oldest_s", "cpu_ratio"), ["host"], ["spool_oldest_s", "cpu_ratio"]
                        ),
                    ],
                    (
                        cell("host", "Host", "string", 220),
                        cell("age_s", "Heard ago", "s", 150, SILENCE_STEPS, decimals=0),
                        cell("spool_oldest_s", "Oldest in spool", "s", 170, SPOOL_STEPS, decimals=0),
                        cell("spool_points", "Points in spool", "short", 170, decimals=0),
                        cell("dropped", "Dropped", "short", 130, _LOSS, decimals=0),
                        cell("quarantined", "Refused", "short", 130, _LOSS, decimals=0),
                        cell("sent", "Sent since start", "short", 170, decimals=1),
                        cell("cpu_ratio", "CPU of a core", "percentunit", 150, decimals=1),
                        cell("rss_bytes", "Memory", "bytes", 130, decimals=1),
                    ),
                    join="host",
                    sort=("Heard ago", True),
                ),
            ),
        ),
        Row(
            8,
            (
                graph(
                    "Oldest point in the spools",
                    "A sawtooth near 0 is right; a ramp means that the store takes nothing.",
                    [curves(points("agent", "spool_oldest_s"), Fold.HIGHEST, ["host"])],
                    unit_of("agent", "spool_oldest_s"),
                    name="${__field.labels.host}",
                    custom={"spanNulls": _AGENT_GAP_MS},
                ),
                graph(
                    "Forecasts per domain",
                    "How many forecasts were written in each window; gaps are times without any.",
                    [curves(points("forecast", "p_failed"), Fold.COUNT, ["domain"])],
                    "short",
                    name="${__field.labels.domain}",
                    decimals=0,
                ),
            ),
        ),
        Row(
            8,
            (
                graph(
                    "CPU of the agents",
                    "Of one core; in dom0 it is taken from the guests.",
                    [curves(points("agent", "cpu_ratio"), Fold.MEAN, ["host"])],
                    unit_of("agent", "cpu_ratio"),
                    name="${__field.labels.host}",
                    custom={"spanNulls": _AGENT_GAP_MS},
                ),
                table(
                    "What the parts complain about",
                    "Events of the pipeline itself, the newest first; none is well.",
                    [h.events(any_of("kind", _TROUBLE))],
                    tables.EVENT_COLUMNS,
                    width=12,
                ),
            ),
        ),
        Row(
            7,
            (tables.trainings(),),
        ),
    ),
)
