"""Thresholds against the policy itself: what it would have lost of the calm that they were set by."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from predictor.forecast import track
from predictor.policy import Memory, Rule, Threshold, View, decide
from predictor.thresholds import threshold, with_thresholds
from telemetry.units import NS_PER_S
from tests.predictor import site


def lost_share(evidence: NDArray[np.float64], level: float, hold_steps: int) -> float:
    """Of the steps of one calm domain, at one a second, those for which the policy decides to protect."""
    rule = Rule((Threshold("evidence", level, level),), 25, 2000, 5, 1, dwell_s=hold_steps, calm_ticks=1)
    memory = Memory(2000, 99, protected_ns=-hold_steps * NS_PER_S, tick_ns=0)
    lost = 0
    for second, value in enumerate(evidence.tolist()):
        decision, memory = decide(View({"evidence": value}, 0, 1), rule, memory, second * NS_PER_S)
        lost += decision.interval_ms == 25
    return lost / len(evidence)


@given(
    evidence=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 3.0]), min_size=1, max_size=60),
    hold_steps=st.integers(1, 10),
    share=st.floats(0, 1),
)
def test_lowest_level_at_which_the_policy_loses_no_more(evidence: list[float], hold_steps: int, share: float) -> None:
    calm = np.array(evidence)
    found = threshold(calm[:, None], hold_steps, share)
    assert lost_share(calm, found, hold_steps) <= share
    lower = calm[calm < found]
    if lower.size:
        assert lost_share(calm, lower.max(), hold_steps) > share


def test_what_is_not_calm_neither_counts_nor_alarms() -> None:
    calm = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    with_trouble = np.array([0.0, 0.0, 1.0, 0.0, math.nan, 0.0, 0.0])
    assert threshold(calm[:, None], 2, 0.4) == threshold(with_trouble[:, None], 2, 0.4) == 1.0


def test_model_gets_what_the_settings_allow(tmp_path: Path) -> None:
    settings, lesson, before = site.settings(tmp_path), site.lesson(), site.trained("default").model
    after = with_thresholds(before, lesson, settings)
    evidence = track(before, lesson.history, lesson.values).evidence
    calm = np.where(lesson.health == 0, evidence, np.nan)
    assert after.calm.evidence_high == threshold(calm, hold_steps=10, lost_share=0.05)
    assert after.calm.evidence_low == threshold(calm, hold_steps=10, lost_share=0.1)
    assert replace(after, calm=before.calm) == before
