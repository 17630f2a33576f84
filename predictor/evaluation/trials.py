"""Which recordings are left out when: in, recordings and seeds; out, a row of figures per method, seed and data."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from predictor.evaluation.methods import ALARM, P_FAILED_WITHIN, Learner
from predictor.evaluation.protocol import Figures, Judged, Scores, figures, judge
from predictor.evaluation.recordings import Recording
from predictor.evaluation.rows import RecordingError
from predictor.folds import failed_within
from predictor.model import Recipe

_PROGRESS_LINES: Final = 5
_RELIABILITY_EDGES: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Fold:
    """Learn from `train`, judge on `test`."""

    train: tuple[Recording, ...]
    test: tuple[Recording, ...]


@dataclass(frozen=True)
class Trial:
    """Figures of one method with one seed; over all of a data set, or of one machine."""

    method: str
    seed: int
    judged_on: str
    figures: Figures


@dataclass(frozen=True)
class Reliability:
    """Of the rows that were given a probability from `low` to `high`: how many, their mean, and what came true."""

    low: float
    high: float
    rows: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Outcome:
    """Everything that was measured on one data set."""

    trials: tuple[Trial, ...]
    left_out: tuple[Trial, ...]
    """the same of each fold by itself, where trials are judged over all of them together"""
    reliability: tuple[Reliability, ...]


def leave_one_out(recordings: Sequence[Recording]) -> list[Fold]:
    """A fold for each recording; raises RecordingError where there is but one."""
    return [_leave_out(recordings, {recording.name}) for recording in recordings]


def leave_groups_out(recordings: Sequence[Recording], groups: Sequence[Sequence[str]]) -> list[Fold]:
    """A fold for each group of names; `1` is short for the recording whose name ends in -1. Raises RecordingError."""
    return [_leave_out(recordings, {_named(recordings, short) for short in group}) for group in groups]


def _leave_out(recordings: Sequence[Recording], names: Set[str]) -> Fold:
    train = tuple(recording for recording in recordings if recording.name not in names)
    if not train:
        raise RecordingError(
            f"nothing is left to learn from when {', '.join(sorted(names))} is left out; add recordings, or use --test"
        )
    return Fold(train, tuple(recording for recording in recordings if recording.name in names))


def _named(recordings: Sequence[Recording], short: str) -> str:
    found = [recording.name for recording in recordings if short in (recording.name, recording.name.rpartition("-")[2])]
    if len(found) != 1:
        known = ", ".join(recording.name for recording in recordings)
        raise RecordingError(f"--groups: {short!r} names {len(found)} recordings, must be one of {known}")
    return found[0]


Scored = list[tuple[Recording, Mapping[str, Scores]]]


def run(
    folds: Sequence[Fold], learners: Sequence[Learner], seeds: Sequence[int], progress: Callable[[str], None]
) -> Outcome:
    """Every learner on every fold with every seed, spread over this machine's cores."""
    jobs = [(learner, fold, seed) for seed in seeds for fold in folds for learner in learners]
    # spawned, because OpenMP (scikit-learn's) does not survive a fork; one thread each, for they share the cores
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_score, *job) for job in jobs]
        for done, _ in enumerate(as_completed(futures), start=1):
            if done * _PROGRESS_LINES // len(jobs) > (done - 1) * _PROGRESS_LINES // len(jobs):
                progress(f"{done} of {len(jobs)} trainings done")
    scored: dict[int, Scored] = {seed: [] for seed in seeds}
    for (_, _, seed), future in zip(jobs, futures, strict=True):
        scored[seed] += future.result()
    trials = [trial for seed in seeds for trial in _trials(scored[seed], seed)]
    left_out = [trial for seed in seeds for fold in folds for trial in _of_fold(scored[seed], fold, seed)]
    reliability = _reliability([pair for seed in seeds for pair in scored[seed]])
    return Outcome(tuple(trials), tuple(left_out), tuple(reliability))


def _score(learner: Learner, fold: Fold, seed: int) -> Scored:
    score = learner(fold.train, seed)
    return [(recording, score(recording)) for recording in fold.test]


def _trials(scored: Scored, seed: int) -> Iterator[Trial]:
    """PREVENT is judged over all rows together, SMD machine by machine."""
    methods = {method for _, scores in scored for method in scores if method != P_FAILED_WITHIN}
    for method in sorted(methods):
        judged = {recording.name: judge(recording, scores[method]) for recording, scores in scored if method in scores}
        one_by_one = _one_by_one(scored[0][0])
        sets = {name: [one] for name, one in judged.items()} if one_by_one else {"all": list(judged.values())}
        for name, members in sorted(sets.items()):
            yield Trial(method, seed, name, _figures(method, members))


def _of_fold(scored: Scored, fold: Fold, seed: int) -> list[Trial]:
    if _one_by_one(fold.test[0]):
        return []
    names = [recording.name for recording in fold.test]
    own = [pair for pair in scored if pair[0].name in names]
    return [replace(trial, judged_on=", ".join(names)) for trial in _trials(own, seed)]


def _one_by_one(recording: Recording) -> bool:
    return recording.dataset == "smd"


def _figures(method: str, judged: Sequence[Judged]) -> Figures:
    """The product's own alarm has its own threshold (0, reached is alarm), all others the protocol's."""
    return figures(judged, threshold=float(np.nextafter(0.0, -1.0))) if method == ALARM else figures(judged)


def _reliability(scored: Scored) -> Iterator[Reliability]:
    """P(failed within h) against what happened in the h steps after, all seeds together."""
    pairs = [
        (
            scores[P_FAILED_WITHIN][recording.scored],
            failed_within(recording.health, Recipe.horizon_steps)[recording.scored],
        )
        for recording, scores in scored
        if P_FAILED_WITHIN in scores
    ]
    if not pairs:
        return
    predicted = np.concatenate([p.ravel() for p, _ in pairs])
    came_true = np.concatenate([y.ravel() for _, y in pairs])
    for low, high in pairwise(_RELIABILITY_EDGES):
        inside = (predicted >= low) & ((predicted < high) | (high == _RELIABILITY_EDGES[-1]))
        if inside.any():
            count = int(inside.sum())
            yield Reliability(low, high, count, float(predicted[inside].mean()), float(came_true[inside].mean()))
