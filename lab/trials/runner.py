"""Running a part: in, a site and a report; out, the report with a row for every trial, saved after each."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from lab.errors import LabError
from lab.progress import say
from lab.trials.part import Part, Trial, Turn
from lab.trials.report import Report, Row
from lab.trials.site import Site

_TROUBLE: Final = (LabError, OSError, ValueError, KeyError, subprocess.SubprocessError)
"""What a trial raises that cannot be made; it then counts as failed."""
_LONGEST: Final = 300


@dataclass(frozen=True)
class Runner:
    """Makes trials on a site; logs go into a folder each, rows into the report, which `save` writes.

    Where a trial failed, `collect` puts what the hosts say into its folder.
    """

    site: Site
    report: Report
    folder: Path
    save: Callable[[], None]
    collect: Callable[[Path], None]

    def run(self, part: Part, count: int) -> None:
        """Make those of `count` trials that the report has not; after one that could not be made, prepare anew.

        Where the site cannot even be prepared, the first of them fails, and the others are left.
        """
        missing = [number for number in range(1, count + 1) if not self.report.has(part.name, number)]
        while missing:
            turn = self._turn(part, missing.pop(0))
            began_s = time.monotonic()
            try:
                with part.session(self.site) as trial:
                    while self._make(part, trial, turn, began_s) and missing:
                        turn, began_s = self._turn(part, missing.pop(0)), time.monotonic()
            except _TROUBLE as error:
                self._add(part, Row(turn.number, (_told(error),), time.monotonic() - began_s, {}))
                return

    def _make(self, part: Part, trial: Trial, turn: Turn, began_s: float) -> bool:
        """Make a trial; False where it could not be made. The first one's time includes that of the preparation."""
        try:
            outcome = trial(turn)
        except _TROUBLE as error:
            self.collect(turn.folder)
            self._add(part, Row(turn.number, (_told(error),), time.monotonic() - began_s, {}))
            return False
        if outcome.faults:
            self.collect(turn.folder)
        self._add(part, Row(turn.number, outcome.faults, time.monotonic() - began_s, outcome.measured))
        return True

    def _turn(self, part: Part, number: int) -> Turn:
        """A trial's own seed, so that it is the same whichever others are made."""
        logs = self.folder / part.name / str(number)
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)
        return Turn(number, Random(f"{self.report.run.seed} {part.name} {number}"), logs)

    def _add(self, part: Part, row: Row) -> None:
        self.report.add(part.name, row)
        self.save()
        say(f"{part.name} {row.trial}: {'; '.join(row.faults) or 'passed'} ({row.seconds:.0f} s)")


def _told(error: BaseException) -> str:
    """In one line: the rest of what a program said is in the logs."""
    return f"could not be made: {type(error).__name__}: {' '.join(str(error).split())[-_LONGEST:]}"
