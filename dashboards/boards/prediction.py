"""The prediction for one domain: what the model believes, how that compares with the policy, what came of it."""

from typing import Final

from dashboards.boards import tables
from dashboards.boards.shared import CHOSEN, DOMAIN, interval_curves, state_lines
from dashboards.dashboard import Dashboard, Row
from dashboards.flux import Fold, curves, points
from dashboards.look import BLUE, GREEN, ORANGE, PURPLE, YELLOW, bound, line, unit_of
from dashboards.panel import graph

_STACKED: Final = {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60, "lineWidth": 0}

_EVIDENCE: Final = graph(
    "Evidence against the policy",
    "What decides in the default mode: what was learned and surprise together, in decades of rarity. Above the orange"
    " line the interval is protective at once, above the yellow line it is not lengthened. No lines: other signals"
    " decide, or there is no model.",
    [
        curves(points("forecast", "evidence", "surprise", where=CHOSEN), Fold.HIGHEST),
        curves(points("decision", "evidence_low", "evidence_high", where=CHOSEN), Fold.MEAN),
    ],
    unit_of("forecast", "evidence"),
    [
        line("forecast", "evidence", "evidence", BLUE),
        line("forecast", "surprise", "surprise alone", PURPLE, lineWidth=1, fillOpacity=0),
        bound("decision", "evidence_high", "protects from here on", ORANGE),
        bound("decision", "evidence_low", "not lengthened from here on", YELLOW),
    ],
    decimals=1,
)

_FAILED_WITHIN: Final = graph(
    "P(failed within the horizon)",
    "P(failed at least once within the horizon), the highest of each window. Calibrated where two failures or more were"
    " labelled, else too high rather than too low; of kinds of failure never seen it says little. Lines are drawn where"
    " the policy decides by it.",
    [
        curves(points("forecast", "p_failed_within", where=CHOSEN), Fold.HIGHEST),
        curves(points("decision", "p_failed_within_low", "p_failed_within_high", where=CHOSEN), Fold.MEAN),
    ],
    unit_of("forecast", "p_failed_within"),
    [
        line("forecast", "p_failed_within", "P(failed within)", BLUE),
        bound("decision", "p_failed_within_high", "protects from here on", ORANGE),
        bound("decision", "p_failed_within_low", "not lengthened from here on", YELLOW),
    ],
    max=1,
)

_STATES: Final = graph(
    "P(next state)",
    "The model's belief about the next step; the three add up to one.",
    [curves(points("forecast", name, where=CHOSEN), Fold.MEAN) for name in ("p_failed", "p_abnormal", "p_normal")],
    unit_of("forecast", "p_normal"),
    [
        line("forecast", "p_failed", "failed", ORANGE),
        line("forecast", "p_abnormal", "abnormal", YELLOW),
        line("forecast", "p_normal", "normal", GREEN),
    ],
    custom=_STACKED,
    max=1,
)

_LOAD: Final = graph(
    "Load level",
    "The expected load level, 0 low to 2 high: load alone is no reason to guard closely.",
    [curves(points("forecast", "load", where=CHOSEN), Fold.MEAN)],
    unit_of("forecast", "load"),
    [line("forecast", "load", "load level", BLUE)],
    max=2,
    decimals=1,
)

PREDICTION: Final = Dashboard(
    "prediction",
    "Hefery 3: Prediction",
    "What the model believes about one domain, against the policy's thresholds, and what was decided.",
    (
        Row(6, (state_lines(),)),
        Row(9, (_EVIDENCE, interval_curves())),
        Row(9, (_FAILED_WITHIN, _STATES)),
        Row(
            8,
            (
                _LOAD,
                tables.decisions(),
            ),
        ),
        Row(
            7,
            (tables.trainings(),),
        ),
    ),
    (DOMAIN,),
    since="now-1h",
    marks=("Failover", "Protection lost", "Model changed", "Incident"),
)
