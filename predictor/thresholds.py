"""Where protection begins: in, evidence in calm times; out, thresholds that leave most of the calm to long intervals.

An alarm costs more than its own step: dwell and calm ticks hold the interval short after it. So the share of calm time
that may be lost is counted with them, not by single steps.
"""

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from predictor.forecast import track
from predictor.learning import Lesson
from predictor.model import NORMAL, Model
from predictor.settings import PredictorSettings

Floats = NDArray[np.float64]


def with_thresholds(model: Model, lesson: Lesson, settings: PredictorSettings) -> Model:
    """The model with its thresholds for evidence set by what it says of the lesson's calm steps.

    At most `false_alarm_share` of them may be lost to protection; twice as many to intervals that do not lengthen.
    """
    evidence = track(model, lesson.history, lesson.values).evidence
    calm = np.where(lesson.health == NORMAL, evidence, np.nan)
    policy, share = settings.policy, settings.model.false_alarm_share
    hold_steps = max(ceil(policy.dwell_s / settings.series.step_s), policy.calm_ticks)
    low, high = (threshold(calm, hold_steps, lost_share) for lost_share in (2 * share, share))
    return replace(model, calm=replace(model.calm, evidence_low=low, evidence_high=high))


def threshold(evidence: Floats, hold_steps: int, lost_share: float) -> float:
    """The lowest level of calm `evidence [T, S]` (NaN is not calm) that loses at most the share of its steps.

    Each step at or above the level loses `hold_steps`, itself the first.
    """
    levels = np.unique(evidence[~np.isnan(evidence)])
    first, last = 0, len(levels)  # what is above all levels loses nothing
    while first < last:
        middle = (first + last) // 2
        if _lost(evidence, levels[middle], hold_steps) <= lost_share:
            last = middle
        else:
            first = middle + 1
    return float(levels[first]) if first < len(levels) else float(np.nextafter(levels[-1], np.inf))


def _lost(evidence: Floats, level: float, hold_steps: int) -> float:
    """Share of the calm steps that are lost."""
    step = np.arange(len(evidence))[:, None]
    alarm = np.where(evidence >= level, step, -hold_steps)  # NaN is no alarm
    held = step - np.maximum.accumulate(alarm, axis=0) < hold_steps
    calm = ~np.isnan(evidence)
    return float((held & calm).sum() / calm.sum())
