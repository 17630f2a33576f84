"""The rows of a CSV(.gz) file: in, its path; out, one `Row` a line, whose cells are read with clear errors."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class RecordingError(Exception):
    """A recording cannot be used; the text names file, line and remedy."""


@dataclass(frozen=True)
class Row:
    """One line of a file; its methods raise RecordingError where a cell is not what it must be."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def number(self, column: str) -> float:
        """A finite number, NaN where the cell is empty."""
        text = self.cells[column].strip()
        try:
            number = float(text) if text else math.nan
        except ValueError:
            number = math.inf
        if math.isinf(number):
            raise self.error(
                f"{column} is {text!r}, not a number; mend it, or leave it empty where nothing was measured"
            )
        return number

    def label(self, column: str, largest: int) -> int:
        """A whole number from 0 to the `largest`."""
        text = self.cells[column].strip()
        if text not in map(str, range(largest + 1)):
            raise self.error(f"{column} is {text!r}, expected 0 to {largest}")
        return int(text)

    def minute(self) -> int:
        """The minute since the run began."""
        text = self.cells["minute"].strip()
        if not text.isdecimal():
            raise self.error(f"minute is {text!r}, expected a whole number from 0 on")
        return int(text)

    def error(self, what: str) -> RecordingError:
        """To be raised about this row."""
        return RecordingError(f"{self.path}, line {self.line}: {what}")


def read_rows(path: Path, kinds: Sequence[Sequence[str]]) -> list[Row]:
    """All rows of a file that has the columns of one of the `kinds`; raises RecordingError."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    try:
        columns = reader.fieldnames or ()
        if not any(set(columns) >= set(kind) for kind in kinds):
            wanted = " or ".join(",".join(kind) for kind in kinds)
            raise RecordingError(f"{path}, line 1: expected the columns {wanted}; found {','.join(columns) or 'none'}")
        rows = [Row(path, reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise RecordingError(f"{path}, after line {reader.line_num}: {error}; mend or remove the line") from error
    for row in rows:
        if None in row.cells or None in row.cells.values():  # how DictReader marks too many and too few
            raise row.error(f"{len(columns)} columns expected; mend or remove the line")
    if not rows:
        raise RecordingError(f"{path}: no data rows; fetch it again or remove it")
    return rows


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.name.endswith(".gz") else raw).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RecordingError(f"{path}: cannot be read: {error}; fetch it again") from error
