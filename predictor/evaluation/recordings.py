"""Recorded runs with labels: in, a folder of CSV(.gz) files; out, one `Recording` a file."""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

METRICS: Final = ("cpu", "memory", "network", "disk")
HISTORY_MINUTES: Final = 30
"""PREVENT: how much of a run's beginning is a domain's history, unlabelled and not scored."""

_RUN_COLUMNS: Final = ("minute", "domain", *METRICS, "health")
_MACHINE_COLUMNS: Final = ("minute", "part", *METRICS, "abnormal")


class RecordingError(Exception):
    """A recording cannot be used; the text names file, line and remedy."""


@dataclass(frozen=True)
class Recording:
    """One run of several domains, or one machine, at one row a minute.

    `values [T, S, 4]` are the metrics, NaN where missing; `health [T, S]` is 0 normal, 1 abnormal, 2 failing;
    `history [T]` marks the rows that show the domains' calm past, which no method is scored on.
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
    """Read every *.csv and *.csv.gz of `folder`, by name."""
    if not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder; name the one that holds the CSV(.gz) files")
    files = sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    if not files:
        raise RecordingError(f"{folder}: holds no .csv or .csv.gz file")
    recordings = [read_recording(path) for path in files]
    if len({recording.dataset for recording in recordings}) > 1:
        raise RecordingError(
            f"{folder}: holds runs (column 'health') beside machines (column 'abnormal'); separate them"
        )
    return recordings


def read_recording(path: Path) -> Recording:
    """Read one file; which kind it is, its columns say."""
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    rows = list(_rows(path))
    if not rows:
        raise RecordingError(f"{path}: no data rows")
    if "health" in rows[0][1]:
        return _run(path, name, rows)
    return _machine(path, name, rows)


Row = tuple[int, dict[str, str]]


def _rows(path: Path) -> Iterator[Row]:
    """The file's rows with their line numbers."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.name.endswith(".gz") else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot be read: {error}; fetch it again") from error
    reader = csv.DictReader(io.StringIO(text))
    columns = set(reader.fieldnames or ())
    if not (columns >= set(_RUN_COLUMNS) or columns >= set(_MACHINE_COLUMNS)):
        wanted = f"{','.join(_RUN_COLUMNS)} or {','.join(_MACHINE_COLUMNS)}"
        raise RecordingError(
            f"{path}, line 1: expected the columns {wanted}; found {','.join(reader.fieldnames or ())}"
        )
    for row in reader:
        if None in row or None in row.values():
            raise RecordingError(
                f"{path}, line {reader.line_num}: {len(columns)} columns expected; mend or remove the line"
            )
        yield reader.line_num, row


def _number(path: Path, line: int, row: dict[str, str], column: str) -> float:
    text = row[column].strip()
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise RecordingError(f"{path}, line {line}: {column} is {text!r}, not a number") from None


def _label(path: Path, line: int, row: dict[str, str], column: str, largest: int) -> int:
    text = row[column].strip()
    if text not in {str(level) for level in range(largest + 1)}:
        raise RecordingError(f"{path}, line {line}: {column} is {text!r}, expected 0 to {largest}")
    return int(text)


def _minute(path: Path, line: int, row: dict[str, str]) -> int:
    text = row["minute"].strip()
    if not text.isdecimal():
        raise RecordingError(f"{path}, line {line}: minute is {text!r}, expected a whole number from 0 on")
    return int(text)


def _run(path: Path, name: str, rows: list[Row]) -> Recording:
    domains = tuple(sorted({row["domain"] for _, row in rows}))
    index = {domain: column for column, domain in enumerate(domains)}
    steps = max(_minute(path, line, row) for line, row in rows) + 1
    if steps > 4 * len(rows):
        raise RecordingError(
            f"{path}: {len(rows)} rows for {steps} minutes; is the column minute counted from the run's start?"
        )
    values = np.full((steps, len(domains), len(METRICS)), np.nan)
    health = np.zeros((steps, len(domains)), dtype=np.int64)
    seen = np.zeros((steps, len(domains)), dtype=bool)
    for line, row in rows:
        at = _minute(path, line, row), index[row["domain"]]
        if seen[at]:
            raise RecordingError(f"{path}, line {line}: second row for minute {at[0]} of {row['domain']}; remove one")
        seen[at] = True
        values[at] = [_number(path, line, row, metric) for metric in METRICS]
        health[at] = _label(path, line, row, "health", 2)
    return Recording(name, "prevent", domains, values, health, np.arange(steps) < HISTORY_MINUTES)


def _machine(path: Path, name: str, rows: list[Row]) -> Recording:
    """A machine's rows follow each other, the training part first; its minutes may begin anew at the test part."""
    for (line, row), (_, before) in zip(rows[1:], rows[:-1], strict=True):
        if row["part"] == "train" and before["part"] == "test":
            raise RecordingError(f"{path}, line {line}: the part train must come before the part test")
    for line, row in rows:
        if row["part"] not in ("train", "test"):
            raise RecordingError(f"{path}, line {line}: part is {row['part']!r}, expected train or test")
    values = np.array([[[_number(path, line, row, metric) for metric in METRICS]] for line, row in rows])
    health = np.array([[_label(path, line, row, "abnormal", 1)] for line, row in rows])
    history = np.array([row["part"] == "train" for _, row in rows])
    return Recording(name, "smd", (name,), values, health, history)
