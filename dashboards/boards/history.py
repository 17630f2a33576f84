"""Weeks and months, from the minutes that the store folds its points into: out, protection, its cost, what fills up."""

from dataclasses import replace
from typing import Any, Final

from dashboards import histories as h
from dashboards.boards import tables
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Flux, Fold, curves, points
from dashboards.look import ORANGE, RED, cell, unit_of
from dashboards.panel import Panel, graph, table

_GAP_MS: Final = 600_000
"""A minute is folded with nine others."""
_LESS_THAN_ALL: Final = ((None, RED), (0.99, ORANGE), (0.999, "transparent"))
_ANY: Final = ((None, "transparent"), (60, ORANGE))


def _minutes(panel: Panel) -> Panel:
    """Drawn of minutes, of which there are no shorter windows."""
    custom = {**panel.custom, "spanNulls": _GAP_MS} if "spanNulls" in panel.custom else panel.custom
    return replace(panel, least_window=h.MINUTE, custom=custom)


def _graph(title: str, description: str, query: Flux, unit: str, by: str = "domain", **more: Any) -> Panel:
    return _minutes(graph(title, description, [query], unit, name=f"${{__field.labels.{by}}}", **more))


def _means(title: str, description: str, measurement: str, field: str, by: str = "domain", **more: Any) -> Panel:
    query = curves(points(measurement, field, window=h.MINUTE), Fold.MEAN, [by])
    return _graph(title, description, query, unit_of(measurement, field), by, **more)


HISTORY: Final = Dashboard(
    "history",
    "Hefery 7: History",
    "How well each domain was protected for weeks and months, what it cost, and what fills up: minutes, kept for two"
    " years. What reached the store more than two hours late is not among them, nor is the last quarter of an hour.",
    (
        Row(
            6,
            (
                _minutes(
                    table(
                        "Balance",
                        "Each domain over the time shown. Unprotected: minutes in some of which a failure of the host"
                        " would have lost it. Not told: nobody said anything of it, as while its hosts were off, or"
                        " before it was declared; silence is no protection.",
                        [h.balance()],
                        (
                            cell("domain", "Domain", "string", 260),
                            cell("protected_ratio", "Protected", "percentunit", 180, _LESS_THAN_ALL, decimals=2),
                            cell("unprotected_s", "Unprotected for", "s", 180, _ANY, decimals=0),
                            cell("untold_s", "Not told for", "s", 180, decimals=0),
                        ),
                        sort=("Protected", False),
                    )
                ),
            ),
        ),
        Row(
            8,
            (
                _graph(
                    "Protected",
                    "Share of the minutes that were told of in which the domain was protected all the time.",
                    h.protected_share(),
                    "percentunit",
                    max=1,
                ),
                _graph(
                    "Time lost to checkpoints",
                    "Share of the time that the domain stood still for checkpoints.",
                    h.standing_still(window=h.MINUTE),
                    "percentunit",
                    max=1,
                ),
            ),
        ),
        Row(
            8,
            (
                _means(
                    "Interval in force",
                    "The mean of the interval that the pacer ran at: what Hefery has saved, and when it guarded.",
                    "checkpoint",
                    "interval_ms",
                ),
                _means(
                    "P(failed within horizon)",
                    "The mean forecast. One that creeps up for weeks is worth a look at the domain, or at its model.",
                    "forecast",
                    "p_failed_within",
                ),
            ),
        ),
        Row(
            8,
            (
                _means(
                    "Response times",
                    "Mean of the 95th percentiles that load clients saw, by label.",
                    "response",
                    "p95_ms",
                    by="label",
                ),
                _means(
                    "CPU of the domains",
                    "Of their own vCPUs, over the time that they ran.",
                    "domain",
                    "cpu_ratio",
                    max=1,
                ),
            ),
        ),
        Row(
            8,
            (
                _means(
                    "CPU of the hosts",
                    "Of dom0 on a Xen host: it sends the checkpoints.",
                    "host",
                    "cpu_ratio",
                    by="host",
                    max=1,
                ),
                _means(
                    "Disks of the hosts",
                    "Space in use of each host's fullest file system.",
                    "host",
                    "filesystem_ratio",
                    by="host",
                    max=1,
                ),
            ),
        ),
        Row(
            8,
            (
                table(
                    "Events",
                    "What happened but for changes of intervals and models, the newest first; kept for ever.",
                    [h.events(*h.REMARKABLE)],
                    tables.EVENT_COLUMNS,
                ),
            ),
        ),
    ),
    since="now-90d",
    refresh="5m",
)
