"""One domain: is it protected, what is forecast, what do checkpoints cost it, and how does it do."""

from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.boards import tables
from dashboards.boards.shared import (
    CHOSEN,
    DOMAIN,
    FORECAST_AGE_STEPS,
    INTERVAL_STEPS,
    LOST_STEPS,
    PROTECTION,
    interval_curves,
    state_lines,
)
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Fold, curves, points
from dashboards.look import BLUE, GREEN, GREY, ORANGE, PURPLE, line, unit_of
from dashboards.panel import Panel, graph, stat, table

_NOW: Final = Row(
    4,
    (
        stat(
            "Protection",
            "Red: a failure of the host would lose the domain now. See the events below, then run protect.yml or"
            " reprotect.yml.",
            q.protection(CHOSEN).keep("protected"),
            "none",
            ((None, GREY),),
            width=5,
            mappings=PROTECTION,
        ),
        stat(
            "Seen running on",
            "The host whose agent saw it last in the time shown.",
            q.homes(CHOSEN).keep("host"),
            "string",
            ((None, BLUE),),
            width=3,
            words=True,
        ),
        stat(
            "Interval chosen",
            "Orange: the protective interval; the reasons below say why.",
            q.decisions("interval_ms", CHOSEN).keep("interval_ms"),
            unit_of("decision", "interval_ms"),
            INTERVAL_STEPS,
            decimals=0,
        ),
        stat(
            "P(failed within horizon)",
            "The newest forecast: P(failed at least once within the horizon).",
            q.forecasts(["p_failed_within"], CHOSEN).keep("p_failed_within"),
            unit_of("forecast", "p_failed_within"),
            ((None, GREEN), (0.2, ORANGE)),
            decimals=0,
        ),
        stat(
            "Forecast ago",
            f"Age of the newest forecast; from {q.VALID_FOR_S:g} s on the interval is protective.",
            q.forecast_ages(CHOSEN).keep("age_s"),
            "s",
            FORECAST_AGE_STEPS,
            decimals=0,
        ),
        stat(
            "Time lost",
            "Share of the time that the domain stood still for checkpoints, lately.",
            q.lost_now(CHOSEN).keep("lost_ratio"),
            "percentunit",
            LOST_STEPS,
            decimals=0,
        ),
    ),
)


def _metric(title: str, field: str, color: str, largest: float | None = None) -> Panel:
    known = f"The guest's {title.lower()}; one of the four metrics that its forecast is made from."
    query = curves(points("domain", field, where=CHOSEN), Fold.MEAN)
    unit = unit_of("domain", field)
    return graph(title, known, [query], unit, [line("domain", field, title, color)], width=6, max=largest)


DOMAIN_BOARD: Final = Dashboard(
    "domain",
    "Hefery 2: Domain",
    "One protected domain: protection, forecast, interval, cost, and its own metrics.",
    (
        _NOW,
        Row(6, (state_lines(),)),
        Row(
            9,
            (
                interval_curves(),
                graph(
                    "Pauses",
                    "How long the domain stood still for one checkpoint, and how long its sending took.",
                    [
                        curves(points("checkpoint", "pause_ms", "send_ms", where=CHOSEN), Fold.MEAN),
                        curves(points("checkpoint", "pause_max_ms", where=CHOSEN), Fold.HIGHEST),
                    ],
                    unit_of("checkpoint", "pause_ms"),
                    [
                        line("checkpoint", "pause_max_ms", "longest pause", ORANGE, fillOpacity=0),
                        line("checkpoint", "pause_ms", "mean pause", BLUE),
                        line("checkpoint", "send_ms", "sending, meanwhile it runs", PURPLE, fillOpacity=0),
                    ],
                ),
            ),
        ),
        Row(
            7,
            (
                _metric("CPU", "cpu_ratio", BLUE, largest=1),
                _metric("Memory", "memory_ratio", BLUE, largest=1),
                _metric("Network", "network_bytes_per_s", BLUE),
                _metric("Disk", "disk_ops_per_s", BLUE),
            ),
            "The guest",
        ),
        Row(
            9,
            (
                tables.decisions(),
                table(
                    "Events",
                    "What happened to this domain but for changes of its interval, the newest first.",
                    [h.events("r.domain =~ /^${domain:regex}$/", *h.REMARKABLE).drop("domain")],
                    [column for column in tables.EVENT_COLUMNS if column.name != "domain"],
                    width=12,
                ),
            ),
            "What happened",
        ),
    ),
    (DOMAIN,),
    since="now-1h",
)
