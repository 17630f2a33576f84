"""What JMeter saw: in, the bytes of a .jtl file in CSV; out, an `Answer` for each record in it."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

_NEEDED: Final = ("timeStamp", "elapsed", "label", "success")
_REMEDY: Final = (
    "have JMeter write jmeter.save.saveservice.output_format=csv, print_field_names=true and timestamp_format=ms"
)
_MOST_LINES: Final = 1_000
"""A record of more has lost the end of a quoted field."""


class JtlError(ValueError):
    """The file is none of JMeter's in CSV, or a record of it is broken; the text names file, line and fault."""


@dataclass(frozen=True)
class Answer:
    """What came of one request: when it was over, how long it took, whether it was what was asked for."""

    label: str
    end_ms: int
    elapsed_ms: int
    good: bool


class Jtl:
    """Reads one file, in whatever pieces it comes; a record that is not whole yet waits for its rest."""

    def __init__(self, path: Path) -> None:
        """`path` is for the texts of errors alone."""
        self._path = path
        self._columns: Mapping[str, int] | None = None
        self._rest = b""
        self._open: list[bytes] = []
        self._quotes = 0
        self._line = count(1)

    @property
    def rest(self) -> bytes:
        """What has come of a record that is not whole."""
        return b"\n".join([*self._open, self._rest])

    def read(self, data: bytes) -> Iterator[Answer | JtlError]:
        """The answers in the records that `data` completes, an error in the place of one that is broken.

        Raises JtlError where the file does not begin with JMeter's header.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            number = next(self._line)
            self._open.append(line)
            self._quotes += line.count(b'"')
            if self._quotes % 2 and len(self._open) < _MOST_LINES:  # the line ended within a quoted field
                continue
            whole, self._open, self._quotes = b"\n".join(self._open), [], 0
            try:
                answer = self._answer(whole.decode(errors="replace").rstrip("\r"))
            except (ValueError, IndexError, csv.Error) as error:
                if self._columns is None:
                    raise JtlError(f"{self._path}, line {number}: {error}; {_REMEDY}") from error
                yield JtlError(f"{self._path}, line {number}: {error}")
            else:
                if answer is not None:
                    yield answer

    def _answer(self, record: str) -> Answer | None:
        """The answer in a record; None for a header, which a run that is appended to another's file repeats."""
        cells = next(csv.reader([record], strict=True), [])
        if self._columns is None or cells[:1] == [_NEEDED[0]]:
            self._columns = _columns(cells)
            return None
        return _answer(cells, self._columns)


def _columns(cells: list[str]) -> Mapping[str, int]:
    if missing := [name for name in _NEEDED if name not in cells]:
        raise JtlError(f"{', '.join(missing)} not named in the header")
    return {name: cells.index(name) for name in _NEEDED} | {"": len(cells)}


def _answer(cells: list[str], columns: Mapping[str, int]) -> Answer:
    if len(cells) != columns[""]:
        raise JtlError(f"{len(cells)} columns instead of {columns['']}")
    start, elapsed, label, success = (cells[columns[name]] for name in _NEEDED)
    if not (start.isdecimal() and elapsed.isdecimal()):
        raise JtlError(f"timeStamp {start!r} and elapsed {elapsed!r} are not both in milliseconds")
    if success not in ("true", "false"):
        raise JtlError(f"success is {success!r}, neither true nor false")
    return Answer(label, int(start) + int(elapsed), int(elapsed), success == "true")
