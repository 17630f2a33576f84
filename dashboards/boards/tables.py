"""Tables that several dashboards show: out, panels, and the columns of events."""

from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.boards.shared import CHOSEN, FORECAST_AGE_STEPS, INTERVAL_STEPS, PROTECTION
from dashboards.dashboard import link
from dashboards.look import GREEN, ORANGE, RED, Look, cell, words
from dashboards.panel import Panel, table

_EVENT_COLORS: Final = words(
    takeover=("takeover", RED),
    stands_still=("stands still", RED),
    unprotected=("unprotected", RED),
    ended=("ended", RED),
    given_up=("given up", ORANGE),
    handed_over=("handed over", ORANGE),
    store_refused=("store refused", ORANGE),
    spool_damaged=("spool damaged", ORANGE),
    protected=("protected", GREEN),
)
TIME: Final = Look("_time", "Time", None, None, {"custom.width": 170})
EVENT_COLUMNS: Final = (
    TIME,
    cell("kind", "Event", "string", 120, mappings=_EVENT_COLORS),
    cell("domain", "Domain", "string", 100),
    cell("host", "Host", "string", 80),
    Look("text", "What happened", "string"),
)
_TRAINING_COLUMNS: Final = (
    TIME,
    cell("accepted", "Model", "none", 120, mappings=words(true=("accepted", GREEN), false=("refused", ORANGE))),
    cell("domains", "Domains", "none", 100, decimals=0),
    cell("steps", "Steps", "none", 100, decimals=0),
    cell("duration_s", "Took", "s", 100, decimals=0),
    cell("heldout_log_likelihood", "Held out, nats/step", "none", 170, decimals=3),
    cell("heldout_log_likelihood_before", "Model before", "none", 130, decimals=3),
    Look("reason", "Why", "string"),
)
_DECISION_COLUMNS: Final = (
    TIME,
    cell("interval_ms", "Interval", "ms", 110, INTERVAL_STEPS, decimals=0),
    Look("reason", "Why", "string"),
)
_DOMAIN_COLUMNS: Final = (
    cell("domain", "Domain", "string", 190, links=[link("domain", "Open the domain", "domain")]),
    cell("protected", "Protected", "none", 150, mappings=PROTECTION),
    cell("host", "Seen on", "string", 110),
    cell("seen_s", "Seen ago", "s", 100, decimals=0),
    cell("p_failed_within", "P(failed)", "percentunit", 100, ((None, "transparent"), (0.2, ORANGE)), decimals=0),
    cell("age_s", "Forecast ago", "s", 120, FORECAST_AGE_STEPS, decimals=0),
    cell("interval_ms", "Interval", "ms", 100, INTERVAL_STEPS, decimals=0),
    cell("lost_ratio", "Time lost", "percentunit", 100, ((None, "transparent"), (0.2, ORANGE)), decimals=0),
    Look("reason", "Why this interval", "string"),
)
_DOMAIN_QUERIES: Final = (
    q.protection(),
    q.homes(),
    q.forecasts(["p_failed_within"]),
    q.forecast_ages(),
    q.decisions("interval_ms"),
    q.lost_now(),
    q.decisions("reason"),
)
"""What is known of every domain now, each answer with a column `domain`."""


def domains() -> Panel:
    """All of them, as they are now."""
    return table(
        "Domains",
        "Every domain seen in the time shown, the unprotected first. A click on its name opens it.",
        _DOMAIN_QUERIES,
        _DOMAIN_COLUMNS,
        join="domain",
        sort=("Protected", False),
    )


def decisions() -> Panel:
    """Those on the domain chosen."""
    return table(
        "Decisions",
        "When the reason of the decision changed, the newest first.",
        [h.turns(CHOSEN)],
        _DECISION_COLUMNS,
        width=12,
    )


def trainings() -> Panel:
    """What they came to."""
    return table(
        "Training",
        "The training runs of the last 30 days; a refused model leaves the one before in force.",
        h.TRAININGS,
        _TRAINING_COLUMNS,
        join="_time",
        sort=("Time", True),
    )
