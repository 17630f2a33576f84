"""The overview: is everybody protected, is trouble near, does Hefery itself work; then every domain."""

from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.boards import tables
from dashboards.boards.shared import (
    FORECAST_AGE_STEPS,
    HEALTH,
    PROTECTION,
    guard_lines,
    response_times,
    time_lost,
)
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import points
from dashboards.look import GREEN, ORANGE, RED, unit_of, words
from dashboards.panel import stat, table, timeline

_NONE_OR_RED: Final = ((None, GREEN), (1, RED))
_NONE: Final = words(_0=("none", GREEN))

_NOW: Final = Row(
    4,
    (
        stat(
            "Unprotected",
            "Domains seen in the time shown whose replication is not alive, or nobody has said so for a minute."
            " Red: a failure of the host would lose them. Open the domain, see the events, run protect.yml.",
            q.total(q.protection(), "r.protected == 0"),
            "none",
            _NONE_OR_RED,
            mappings=_NONE,
        ),
        stat(
            "Guarded closely",
            "Domains whose chosen interval is the protective one: trouble is near, or nothing is known of them."
            " Nothing to do: this is Hefery at work. The domain's reasons tell which of the two.",
            q.total(q.decisions("interval_ms"), f"r.interval_ms <= {q.POLICY.protective_ms}"),
            "none",
            ((None, GREEN), (1, ORANGE)),
            mappings=_NONE,
        ),
        stat(
            "P(failed), highest",
            "The highest P(failed at least once within the horizon) of all domains.",
            q.highest(q.forecasts(["p_failed_within"]), "p_failed_within"),
            unit_of("forecast", "p_failed_within"),
            ((None, GREEN), (0.2, ORANGE)),
            decimals=0,
        ),
        stat(
            "Oldest forecast",
            f"Age of the newest forecast of the domain that has waited longest. From {q.VALID_FOR_S:g} s on no governor"
            " acts on it, and the interval is protective: is the predictor alive, and the store?",
            q.highest(q.forecast_ages(), "age_s"),
            "s",
            FORECAST_AGE_STEPS,
            decimals=0,
        ),
        stat(
            "Silent agents",
            f"Hosts whose agent has said nothing for {q.SILENCE_S} s: the host is down, its agent, or the network.",
            q.total(q.silences(), f"r.age_s > {q.SILENCE_S}.0"),
            "none",
            _NONE_OR_RED,
            mappings=_NONE,
        ),
        stat(
            "Last training",
            "Whether the last training of the past two days gave a model that is in use. Orange: refused, the model"
            " before is in force and goes stale; Pipeline says why.",
            points("training", "accepted", since="2d").pipe(
                "group()", 'sort(columns: ["_time"])', "last()", 'keep(columns: ["_value"])', columns=("_value",)
            ),
            "none",
            ((None, ORANGE),),
            mappings=words(true=("accepted", GREEN), false=("refused", ORANGE)),
            words=True,
        ),
    ),
)

_OVER_TIME: Final = Row(
    9,
    (
        timeline(
            "Protection",
            "Green while checkpoints keep coming; red while a failure of the host would lose the domain.",
            [h.protected_curve()],
            "none",
            name="${__field.labels.domain}",
            width=8,
            mappings=PROTECTION,
        ),
        timeline(
            "Forecast",
            "The next state: normal where that is likelier than not. Grey: no forecast, so the interval is protective.",
            [h.states()],
            "none",
            name="${__field.labels.domain}",
            width=8,
            mappings=HEALTH,
        ),
        guard_lines(width=8),
    ),
)

_COST: Final = Row(
    8,
    (
        response_times("95th percentile of the response times that load clients saw, by label.", "p95_ms"),
        time_lost(),
    ),
)

OVERVIEW: Final = Dashboard(
    "overview",
    "Hefery 1: Overview",
    "All protected domains at one glance. Green: well. Orange: Hefery is acting. Red: a person must act.",
    (
        _NOW,
        Row(
            8,
            (tables.domains(),),
        ),
        _OVER_TIME,
        _COST,
        Row(
            8,
            (
                table(
                    "Events",
                    "What happened but for changes of intervals and models, the newest first.",
                    [h.events(*h.REMARKABLE)],
                    tables.EVENT_COLUMNS,
                ),
            ),
        ),
    ),
)
