"""What several dashboards show: out, columns, colours and panels that look the same everywhere."""

from collections.abc import Sequence
from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.dashboard import Variable, link, tag_values
from dashboards.flux import Flux, Fold, curves, points
from dashboards.look import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Look,
    Step,
    cell,
    line,
    thresholds,
    unit_of,
    words,
)
from dashboards.panel import Panel, graph, timeline

DOMAIN: Final = Variable("domain", "Domain", tag_values("domain", "cpu_ratio", "domain"))
LABEL: Final = Variable("label", "Label", tag_values("response", "mean_ms", "label"), many=True)
CHOSEN: Final = ("domain",)

PROTECTION: Final = words(**{"_-1": ("nobody tells", GREY), "_0": ("NOT PROTECTED", RED), "_1": ("protected", GREEN)})
HEALTH: Final = words(
    **{"_-1": ("no forecast", GREY), "_0": ("normal", GREEN), "_1": ("abnormal", YELLOW), "_2": ("failing", ORANGE)}
)
FORECAST_AGE_STEPS: Final[tuple[Step, ...]] = ((None, GREEN), (q.VALID_FOR_S / 2, ORANGE), (q.VALID_FOR_S, RED))
SILENCE_STEPS: Final[tuple[Step, ...]] = ((None, GREEN), (q.SILENCE_S, RED))
INTERVAL_STEPS: Final[tuple[Step, ...]] = ((None, ORANGE), (q.POLICY.protective_ms + 0.5, GREEN))
SPOOL_STEPS: Final[tuple[Step, ...]] = ((None, GREEN), (q.SILENCE_S, ORANGE), (600, RED))
LOST_STEPS: Final[tuple[Step, ...]] = ((None, GREEN), (0.2, ORANGE))

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

TRAINING_COLUMNS: Final = (
    TIME,
    cell("accepted", "Model", "none", 120, mappings=words(true=("accepted", GREEN), false=("refused", ORANGE))),
    cell("domains", "Domains", "none", 100, decimals=0),
    cell("steps", "Steps", "none", 100, decimals=0),
    cell("duration_s", "Took", "s", 100, decimals=0),
    cell("heldout_log_likelihood", "Held out, nats/step", "none", 170, decimals=3),
    cell("heldout_log_likelihood_before", "Model before", "none", 130, decimals=3),
    Look("reason", "Why", "string"),
)


def fleet_queries() -> tuple[Flux, ...]:
    """What is known of every domain now, each answer with a column `domain`."""
    return (
        q.protection(),
        q.homes(),
        q.forecasts(["p_failed_within"]),
        q.forecast_ages(),
        q.decisions("interval_ms"),
        q.lost_now(),
        q.decisions("reason"),
    )


def fleet_columns() -> tuple[Look, ...]:
    """The columns of `fleet_queries`."""
    return (
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


def response_times(description: str, field: str, width: int = 12, where: Sequence[str] = ()) -> Panel:
    """Curves of response times by label."""
    return graph(
        "Response times",
        description,
        [curves(points("response", field, where=where), Fold.MEAN, ["label"])],
        unit_of("response", field),
        width=width,
        name="${__field.labels.label}",
    )


def state_lines() -> Panel:
    """The domain chosen over time, a row each: is it protected, what is forecast, how closely is it guarded."""
    return timeline(
        "States",
        "Protection: red while a failure of the host would lose the domain. Forecast: normal where that is likely."
        " Interval: orange at the protective one, as trouble is near or nothing is known.",
        [
            h.protected_curve(CHOSEN).drop("domain"),
            h.states(CHOSEN).drop("domain"),
            h.guard_curve(CHOSEN).drop("domain"),
        ],
        "none",
        width=24,
        looks=[
            Look("protection", "protection", None, None, {"mappings": PROTECTION}),
            Look("forecast", "forecast", None, None, {"mappings": HEALTH}),
            Look("interval", "interval", "ms", None, {"thresholds": thresholds(*INTERVAL_STEPS)}),
        ],
    )


def guard_lines(width: int = 12) -> Panel:
    """Every domain's chosen interval over time, a row each."""
    return timeline(
        "How closely each domain is guarded",
        "The shortest interval chosen. Orange: the protective one, as trouble is near or nothing is known.",
        [h.guard_curve()],
        unit_of("decision", "interval_ms"),
        name="${__field.labels.domain}",
        width=width,
        steps=INTERVAL_STEPS,
    )


def time_lost(where: Sequence[str] = (), width: int = 12) -> Panel:
    """What checkpoints cost each domain, or the one chosen."""
    return graph(
        "Time lost to checkpoints",
        "Share of the time that the domain stood still for checkpoints.",
        [h.standing_still(where)],
        "percentunit",
        width=width,
        name="${__field.labels.domain}",
        max=1,
    )


def decision_columns() -> tuple[Look, ...]:
    """The columns of `queries.turns`."""
    return (
        TIME,
        cell("interval_ms", "Interval", "ms", 110, INTERVAL_STEPS, decimals=0),
        Look("reason", "Why", "string"),
    )


def interval_curves(width: int = 12) -> Panel:
    """The interval as chosen, as in force, and the period that came of it, for the domain chosen."""
    return graph(
        "Interval: chosen, in force, achieved",
        "What the predictor chose, what the pacer runs at, and the mean time from commit to commit, which adds the time"
        " that a checkpoint takes itself. In force below chosen: the governor doubts, or protects.",
        [
            curves(points("decision", "interval_ms", where=CHOSEN), Fold.LOWEST),
            curves(points("checkpoint", "interval_ms", where=CHOSEN), Fold.LOWEST).pipe(
                'set(key: "_field", value: "in_force_ms")'
            ),
            curves(points("checkpoint", "period_ms", where=CHOSEN), Fold.MEAN),
        ],
        unit_of("decision", "interval_ms"),
        [
            line("decision", "interval_ms", "chosen", BLUE, lineInterpolation="stepAfter", lineWidth=5),
            Look(
                "in_force_ms",
                "in force",
                "ms",
                ORANGE,
                {"custom.lineInterpolation": "stepAfter", "custom.fillOpacity": 0},
            ),
            line("checkpoint", "period_ms", "achieved period", PURPLE, lineWidth=1, fillOpacity=0),
        ],
        width=width,
        custom={"scaleDistribution": {"type": "log", "log": 10}},
        min=10,
    )
