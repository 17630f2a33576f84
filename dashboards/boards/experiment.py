"""An experiment: what clients felt, next to the interval in force."""

from typing import Final

from dashboards import histories as h
from dashboards.boards.shared import CHOSEN, DOMAIN, LABEL, interval_curves, response_times, time_lost
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Fold, curves, highest_of_all, points
from dashboards.look import BLUE, GREEN, ORANGE, PURPLE, RED, cell, line, unit_of
from dashboards.panel import graph, table

_LABELS: Final = ("domain", "label")

_SPREAD: Final = graph(
    "Tail of the response times",
    "Of the labels chosen, the worst label in each window: median, 95th and 99th percentile, longest.",
    [highest_of_all(points("response", "p50_ms", "p95_ms", "p99_ms", "max_ms", where=_LABELS))],
    unit_of("response", "p50_ms"),
    [
        line("response", "max_ms", "longest", ORANGE, lineWidth=1, fillOpacity=0),
        line("response", "p99_ms", "99th percentile", PURPLE, fillOpacity=0),
        line("response", "p95_ms", "95th percentile", BLUE, fillOpacity=0),
        line("response", "p50_ms", "median", GREEN),
    ],
    width=8,
)

_ANSWERS: Final = graph(
    "Answers",
    "Answers and errors that the load clients counted, summed over each window; a gap is silence.",
    [curves(points("response", "count", "errors", where=_LABELS), Fold.SUM)],
    unit_of("response", "count"),
    [line("response", "count", "answers", BLUE), line("response", "errors", "errors", RED, fillOpacity=40)],
    width=8,
)

EXPERIMENT: Final = Dashboard(
    "experiment",
    "Hefery 4: Experiment",
    "What load clients felt next to what protection cost: choose the domain, the labels of the run and its time.",
    (
        Row(
            6,
            (
                table(
                    "Result by label",
                    "Over the time shown; the mean weighted by answers, percentiles as means of the windows' own.",
                    [h.results(_LABELS)],
                    (
                        cell("label", "Label", "string", 280),
                        cell("count", "Answers", "none", 130, decimals=0),
                        cell("errors", "Errors", "none", 130, ((None, "transparent"), (1, RED)), decimals=0),
                        cell("mean_ms", "Mean", "ms", 130),
                        cell("p50_ms", "Median", "ms", 130),
                        cell("p95_ms", "95th percentile", "ms", 140),
                        cell("p99_ms", "99th percentile", "ms", 140),
                        cell("max_ms", "Longest", "ms", 130),
                        cell("gap_ms", "Longest silence", "ms", 140),
                    ),
                    sort=("Label", False),
                ),
            ),
        ),
        Row(
            10,
            (
                response_times("Mean response time that load clients saw, by label.", "mean_ms", where=_LABELS),
                interval_curves(),
            ),
        ),
        Row(8, (_SPREAD, _ANSWERS, time_lost(CHOSEN, width=8))),
    ),
    (DOMAIN, LABEL),
    since="now-30m",
    marks=("Failover", "Protection lost", "Protected", "Interval changed"),
)
