"""What an evaluation found: in, outcomes by data set; out, tables to read and a document for JSON."""

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from predictor.evaluation.methods import ALARM
from predictor.evaluation.protocol import Figures
from predictor.evaluation.trials import Outcome, Trial
from telemetry.revision import commit

_HEADINGS: Final = {
    "auc": "AUC",
    "average_precision": "avg prec",
    "lead_min": "lead min",
    "warned_5min": "warned 5'",
    "last_10_protected": "last 10'",
    "false_alarm_share": "false",
}
_COMPARED: Final = ("default", "paper", "max_abs_z", "max_rise", "logistic_regression")


def document(outcomes: Mapping[str, Outcome], about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures: means and spreads over seeds, and a row per trial; `about` names the run."""
    datasets = {
        name: {
            "methods": summary(outcome),
            "reliability": [asdict(row) for row in outcome.reliability],
            "trials": [_row(trial) for trial in outcome.trials],
            "left_out": [_row(trial) for trial in outcome.left_out],
        }
        for name, outcome in outcomes.items()
    }
    machine = {"system": platform.platform(), "processor": platform.machine(), "python": platform.python_version()}
    return {"commit": commit(), "machine": machine, **about, "datasets": datasets}


def summary(outcome: Outcome) -> dict[str, dict[str, dict[str, float | None]]]:
    """`{method: {figure: {mean, sd}}}`: of each seed the mean over what was judged, then mean and spread over seeds."""
    return {
        method: {
            figure.name: _spread([t for t in outcome.trials if t.method == method], figure.name)
            for figure in fields(Figures)
        }
        for method in sorted({trial.method for trial in outcome.trials})
    }


def _spread(trials: list[Trial], figure: str) -> dict[str, float | None]:
    seeds = sorted({trial.seed for trial in trials})
    means = [float(np.mean([getattr(t.figures, figure) for t in trials if t.seed == seed])) for seed in seeds]
    return {"mean": _known(float(np.mean(means))), "sd": _known(float(np.std(means)))}


def _row(trial: Trial) -> dict[str, Any]:
    figures = {name: _known(value) for name, value in asdict(trial.figures).items()}
    return {"method": trial.method, "seed": trial.seed, "judged_on": trial.judged_on, **figures}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def table(dataset: str, outcome: Outcome) -> str:
    """The figures as text, best AUC first; the product's own alarm apart, for it has its own threshold."""
    methods = summary(outcome)
    ranked = sorted((m for m in methods if m != ALARM), key=lambda m: -(methods[m]["auc"]["mean"] or 0.0))
    width = max(map(len, methods))
    lines = [f"{dataset}: mean ± spread over seeds; lead, warned and last 10 min at 5 % false-alarm time"]
    lines.append(f"  {'method':{width}}" + "".join(f"{heading:>15}" for heading in _HEADINGS.values()))
    lines += [f"  {method:{width}}" + _cells(methods[method]) for method in ranked]
    lines.append("  the product's own alarm, its threshold chosen on training data alone:")
    lines.append(f"  {ALARM:{width}}" + _cells(methods[ALARM]))
    return "\n".join([*lines, *_left_out_lines(outcome), *_reliability_lines(outcome)])


def _cells(figures: Mapping[str, Mapping[str, float | None]]) -> str:
    return "".join(f"{_cell(figures[name]):>15}" for name in _HEADINGS)


def _cell(figure: Mapping[str, float | None]) -> str:
    mean, sd = figure["mean"], figure["sd"]
    return "-" if mean is None or sd is None else f"{mean:.3f} ± {sd:.3f}"


def _left_out_lines(outcome: Outcome) -> list[str]:
    """The AUC of some methods on each of the folds, where there is more than one."""
    names = list(dict.fromkeys(trial.judged_on for trial in outcome.left_out))
    if len(names) < 2:
        return []
    width = max(map(len, names))
    lines = ["  AUC on what was left out, mean over seeds:"]
    compared = [method for method in _COMPARED if any(trial.method == method for trial in outcome.left_out)]
    lines.append(f"    {'':{width}}" + "".join(f"{method:>21}" for method in compared))
    for name in names:
        aucs = {m: [t.figures.auc for t in outcome.left_out if (t.judged_on, t.method) == (name, m)] for m in compared}
        lines.append(f"    {name:{width}}" + "".join(f"{np.mean(aucs[method]):>21.3f}" for method in compared))
    return lines


def _reliability_lines(outcome: Outcome) -> list[str]:
    if not outcome.reliability:
        return ["  no reliability table: no failure was labelled, so P(failed within h) was not learned"]
    lines = [
        "  reliability of P(failed within 5 min), rows of all seeds:",
        "    forecast        rows   mean forecast   came true",
    ]
    return lines + [
        f"    {row.low:.2f}-{row.high:.2f} {row.rows:>10} {row.predicted:>15.3f} {row.observed:>11.3f}"
        for row in outcome.reliability
    ]
