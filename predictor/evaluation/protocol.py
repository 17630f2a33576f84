"""The fixed rules of judgement: in, scores and labels of recordings; out, the figures of a method.

Settled before any method was scored. A score is a number per row; the higher, the more trouble is expected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from predictor.evaluation.recordings import FAILING, Recording
from predictor.model import NORMAL

POSITIVE_MINUTES: Final = 10
"""A failing domain's last minutes: the positives."""
FALSE_ALARM_SHARE: Final = 0.05
"""The threshold lets this share of the negative time raise an alarm."""
ALARM_MINUTES: Final = 3
"""A warning is an alarm that lasts at least so long."""
WARNED_AHEAD_MINUTES: Final = 5

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """What a method reached on one data set; lead in minutes, NaN where the data set has no failures to lead to."""

    auc: float
    average_precision: float
    lead_min: float
    warned_5min: float
    last_10_protected: float
    false_alarm_share: float


@dataclass(frozen=True)
class Judged:
    """A recording with a method's `scores [T, S]`, which rows count as positive and negative, and its failures."""

    scores: Scores
    positive: Mask
    negative: Mask
    failing: tuple[int, ...]
    injected: tuple[int, ...]


def judge(recording: Recording, scores: Scores) -> Judged:
    """Settle which rows of the recording count.

    PREVENT: positive are the last ten minutes of each failing domain, negative all rows with health 0 after the
    history. SMD: the score of minute t is judged by the label of minute t + 1.
    """
    if scores.shape != recording.health.shape or not np.isfinite(scores[recording.scored]).all():
        raise ValueError(f"{recording.name}: a method must give a finite score for every row after the history")
    if recording.dataset == "smd":
        return _judge_next_minute(recording, scores)
    steps = len(recording.health)
    failing = tuple(int(s) for s in np.flatnonzero((recording.health == FAILING).any(axis=0)))
    positive = np.zeros_like(recording.health, dtype=bool)
    positive[max(steps - POSITIVE_MINUTES, 0) :, failing] = True
    positive &= recording.scored[:, None]
    negative = (recording.health == NORMAL) & recording.scored[:, None] & ~positive
    injected = tuple(int(np.flatnonzero(recording.health[:, s] > NORMAL)[0]) for s in failing)
    return Judged(scores, positive, negative, failing, injected)


def _judge_next_minute(recording: Recording, scores: Scores) -> Judged:
    abnormal_next = np.zeros_like(recording.health, dtype=bool)
    abnormal_next[:-1] = recording.health[1:] > NORMAL
    counted = recording.scored.copy()
    counted[-1] = False
    return Judged(scores, abnormal_next & counted[:, None], ~abnormal_next & counted[:, None], (), ())


def figures(judged: Sequence[Judged], threshold: float | None = None) -> Figures:
    """The figures over all rows of `judged` together, at 5 % false alarms or at a `threshold` settled elsewhere."""
    positive = np.concatenate([j.scores[j.positive] for j in judged])
    negative = np.concatenate([j.scores[j.negative] for j in judged])
    if threshold is None:
        threshold = alarm_threshold(negative)
    leads = [lead for j in judged for lead in leads_min(j, threshold)]
    return Figures(
        auc=area_under_curve(positive, negative),
        average_precision=average_precision(positive, negative),
        lead_min=float(np.median(leads)) if leads else float("nan"),
        warned_5min=_share(np.array(leads) >= WARNED_AHEAD_MINUTES),
        last_10_protected=_share(positive > threshold),
        false_alarm_share=_share(negative > threshold),
    )


def _share(flags: Mask) -> float:
    return float(np.mean(flags)) if flags.size else float("nan")


def alarm_threshold(negative: Scores) -> float:
    """A threshold that at most 5 % of the `negative` scores `[n]` exceed: one of them, infinite if there are none."""
    if not negative.size:
        return float("inf")
    return float(np.quantile(negative, 1.0 - FALSE_ALARM_SHARE, method="higher"))


def leads_min(judged: Judged, threshold: float) -> list[float]:
    """Minutes from the start of each failing domain's first warning to its failure at the run's end; 0 for a miss.

    A warning is an alarm of at least three minutes that starts at or after the injection.
    """
    steps = len(judged.scores)
    leads = []
    for domain, injected in zip(judged.failing, judged.injected, strict=True):
        starts = [s for s in _alarm_starts(judged.scores[:, domain] > threshold) if s >= injected]
        leads.append(float(steps - starts[0]) if starts else 0.0)
    return leads


def _alarm_starts(alarm: Mask) -> list[int]:
    """First rows of the spans of `alarm [T]` that last long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], alarm.astype(np.int8), [0]))))
    return [int(start) for start, stop in edges.reshape(-1, 2) if stop - start >= ALARM_MINUTES]


def area_under_curve(positive: Scores, negative: Scores) -> float:
    """P(a positive's score exceeds a negative's), ties counted half (Mann-Whitney)."""
    if not positive.size or not negative.size:
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).sum() / (2.0 * positive.size * negative.size))


def average_precision(positive: Scores, negative: Scores) -> float:
    """Precision averaged over the recalls gained at each distinct score, from the highest down."""
    if not positive.size:
        return float("nan")
    levels = np.unique(positive)[::-1]
    found = positive.size - np.searchsorted(np.sort(positive), levels, side="left")
    false = negative.size - np.searchsorted(np.sort(negative), levels, side="left")
    recall_gained = np.diff(found / positive.size, prepend=0.0)
    return float((recall_gained * (found / (found + false))).sum())
