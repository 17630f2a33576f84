"""The verb `evaluate`: in, folders of labelled recordings; out, tables on standard output and a JSON file."""

import json
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from predictor.evaluation.methods import LEARNERS, WITHOUT_EXTRA
from predictor.evaluation.recordings import Recording, read_folder
from predictor.evaluation.report import document, table
from predictor.evaluation.rows import RecordingError
from predictor.evaluation.trials import Fold, Outcome, leave_groups_out, leave_one_out, run


def evaluate(
    data: Path, test: Path | None, groups: Sequence[Sequence[str]], seeds: int, json_file: Path | None
) -> None:
    """Judge every method by the protocol; raises RecordingError on data or words that cannot be used.

    `data` (and `test`) hold CSV(.gz) files, or one folder of them per data set. Without `test`, one recording is left
    out at a time, or one of `groups`.
    """
    learned_from = _data_sets(data)
    judged_on = None if test is None else _data_sets(test)
    learners = LEARNERS if find_spec("sklearn") else WITHOUT_EXTRA
    if learners is WITHOUT_EXTRA:
        print("without scikit-learn's baselines: pip install 'hefery[evaluate]' adds them", file=sys.stderr)
    outcomes: dict[str, Outcome] = {}
    started = time.monotonic()
    for recordings in learned_from:
        name = recordings[0].dataset
        folds = _folds(recordings, judged_on, groups)
        outcomes[name] = run(folds, learners, range(seeds), lambda line: print(line, file=sys.stderr, flush=True))
        print(table(name, outcomes[name]), end="\n\n", flush=True)
    print(f"{time.monotonic() - started:.0f} s, {seeds} seeds", file=sys.stderr)
    if json_file:
        left_out = [list(group) for group in groups] or "one at a time"
        about = {"seeds": seeds, "left_out": left_out if test is None else f"all of {test.name}"}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(document(outcomes, about), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _data_sets(folder: Path) -> list[list[Recording]]:
    """The recordings of `folder`, or of each of its sub-folders."""
    below = sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
    data_sets = [read_folder(child) for child in below] or [read_folder(folder)]
    kinds = [recordings[0].dataset for recordings in data_sets]
    if len(set(kinds)) < len(kinds):
        raise RecordingError(f"{folder}: two of its folders hold the same kind ({', '.join(kinds)}); put them into one")
    return data_sets


def _folds(
    recordings: list[Recording], judged_on: list[list[Recording]] | None, groups: Sequence[Sequence[str]]
) -> list[Fold]:
    if judged_on is None:
        return leave_groups_out(recordings, groups) if groups else leave_one_out(recordings)
    test = [recording for some in judged_on for recording in some if recording.dataset == recordings[0].dataset]
    if not test:
        raise RecordingError(f"--test holds nothing of the kind {recordings[0].dataset} to judge on")
    for one in test:
        for other in recordings:
            if np.array_equal(one.values, other.values, equal_nan=True):
                raise RecordingError(f"--test: {one.name} is {other.name} of --data, and so not unseen; remove one")
    return [Fold(tuple(recordings), tuple(test))]
