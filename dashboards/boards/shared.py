"""What several dashboards show: out, columns, colours and panels that look the same everywhere."""

from collections.abc import Sequence
from typing import Final

from dashboards import histories as h
from dashboards import queries as q
from dashboards.dashboard import Variable, tag_values
from dashboards.flux import Fold, curves, points
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
