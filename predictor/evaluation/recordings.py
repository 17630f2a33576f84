"""Recorded runs with labels: in, a folder of CSV(.gz) files; out, one `Recording` a file."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from predictor.evaluation.rows import RecordingError, Row, read_rows

METRICS: Final = ("cpu", "memory", "network", "disk")
HISTORY_MINUTES: Final = 30
"""PREVENT: how much of a run's beginning is a domain's history, unlabelled and not scored."""
FAILING: Final = 2
"""The health of a domain in the minutes before its failure."""
UNKNOWN: Final = -1
"""The health in a minute that the file has no row of."""

_RUN_COLUMNS: Final = ("minute", "domain", *METRICS, "health")
_MACHINE_COLUMNS: Final = ("minute", "part", *METRICS, "abnormal")


@dataclass(frozen=True)
class Recording:
    """One run of several domains, or one machine, at one row a minute.

    `values [T, S, 4]` are the metrics, NaN where missing; `health [T, S]` is 0 normal, 1 abnormal, 2 failing,
    -1 unknown; `history [T]` marks the rows that show the domains' calm past, which no method is scored on.
    """

    name: str
    dataset: Literal["prevent", "smd"]
    domains: tuple[str, ...]
    values: NDArray[np.float64]
    health: NDArray[np.int64]
    history: NDArray[np.bool_]

    @property
    def scored(self) -> NDArray[np.bool_]:
        """The rows `[T]` after the history."""
        return ~self.history


def read_folder(folder: Path) -> list[Recording]:
    """Read every *.csv and *.csv.gz of `folder`, by name; raises RecordingError."""
    if not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder; name the one that holds the CSV(.gz) files")
    files = sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    if not files:
        raise RecordingError(f"{folder}: holds no .csv or .csv.gz file; name the folder that does")
    recordings = [read_recording(path) for path in files]
    if len({recording.dataset for recording in recordings}) > 1:
        raise RecordingError(
            f"{folder}: holds runs (column 'health') beside machines (column 'abnormal'); separate them"
        )
    names = [recording.name for recording in recordings]
    for name in names:
        if names.count(name) > 1:
            raise RecordingError(f"{folder}: holds {name} twice, as .csv and as .csv.gz; remove one")
    return recordings


def read_recording(path: Path) -> Recording:
    """Read one file; which kind it is, its columns say. Raises RecordingError."""
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    rows = read_rows(path, (_RUN_COLUMNS, _MACHINE_COLUMNS))
    return _run(name, rows) if "health" in rows[0].cells else _machine(name, rows)


def _run(name: str, rows: list[Row]) -> Recording:
    path = rows[0].path
    domains = tuple(sorted({row.cells["domain"] for row in rows}))
    index = {domain: column for column, domain in enumerate(domains)}
    steps = max(row.minute() for row in rows) + 1
    if steps > 4 * len(rows):
        raise RecordingError(
            f"{path}: {len(rows)} rows for {steps} minutes; is the column minute counted from the run's start?"
        )
    if steps <= HISTORY_MINUTES:
        raise RecordingError(
            f"{path}: {steps} minutes, of which the first {HISTORY_MINUTES} are not scored; remove the file"
        )
    values = np.full((steps, len(domains), len(METRICS)), np.nan)
    health = np.full((steps, len(domains)), UNKNOWN, dtype=np.int64)
    for row in rows:
        at = row.minute(), index[row.cells["domain"]]
        if health[at] != UNKNOWN:
            raise row.error(f"second row for minute {at[0]} of {row.cells['domain']}; remove one")
        values[at] = [row.number(metric) for metric in METRICS]
        health[at] = row.label("health", FAILING)
    for domain, column in zip(domains, health.T, strict=True):
        if FAILING in column and column[column != UNKNOWN][-1] != FAILING:
            raise RecordingError(f"{path}: {domain} has health 2 before its last row; a run must end at the failure")
    return Recording(name, "prevent", domains, values, health, np.arange(steps) < HISTORY_MINUTES)


def _machine(name: str, rows: list[Row]) -> Recording:
    """A machine's rows follow each other, the training part first; its minutes may begin anew at the test part."""
    parts = [row.cells["part"] for row in rows]
    for row, part in zip(rows, parts, strict=True):
        if part not in ("train", "test"):
            raise row.error(f"part is {part!r}, expected train or test")
    for row, (before, part) in zip(rows[1:], pairwise(parts), strict=True):
        if (before, part) == ("test", "train"):
            raise row.error("the part train must come before the part test; sort the rows")
    if len(set(parts)) < 2:
        raise RecordingError(f"{rows[0].path}: all rows are of part {parts[0]}; both train and test are needed")
    values = np.array([[[row.number(metric) for metric in METRICS]] for row in rows])
    health = np.array([[row.label("abnormal", 1)] for row in rows])
    return Recording(name, "smd", (name,), values, health, np.array([part == "train" for part in parts]))
