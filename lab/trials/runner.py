"""Running a part: in, a site and a report; out, the report with a row for every trial, saved after each."""

import shutil
import subprocess
import time
from collections import deque
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
        """Make those of `count` trials that the report has not; one that could not be made once more, prepared anew.

        Where the site cannot even be prepared, the first of them fails, and the others are left.
        """
        missing = deque(number for number in range(1, count + 1) if not self.report.has(part.name, number))
        at_first: dict[int, str] = {}
        while missing:
            turn, began_s, is_ready = self._turn(part, missing[0]), time.monotonic(), False
            try:
                with part.session(self.site) as trial:
                    is_ready = True
                    while True:
                        self._make(part, trial, turn, began_s, at_first.get(turn.number, ""))
                        missing.popleft()
                        if not missing:
                            break
                        turn, began_s = self._turn(part, missing[0]), time.monotonic()
            except _TROUBLE as error:
                self.collect(turn.folder)
                if turn.number not in at_first:
                    at_first[turn.number] = self._again(part, turn, error)
                    continue
                row = Row(turn.number, (_told(error),), time.monotonic() - began_s, {}, at_first[turn.number])
                self._add(part, row)
                missing.popleft()
                if not is_ready:
                    return

    def _make(self, part: Part, trial: Trial, turn: Turn, began_s: float, at_first: str) -> None:
        """Make a trial. The first one's time includes that of the preparation."""
        outcome = trial(turn)
        if outcome.faults:
            self.collect(turn.folder)
        self._add(part, Row(turn.number, outcome.faults, time.monotonic() - began_s, outcome.measured, at_first))

    def _again(self, part: Part, turn: Turn, error: BaseException) -> str:
        """Why it could not be made; its logs are kept."""
        said, kept = _told(error), turn.folder.with_name(f"{turn.number}-at-first")
        shutil.rmtree(kept, ignore_errors=True)
        turn.folder.rename(kept)
        say(f"{part.name} {turn.number}: {said}; once more (logs: {kept})")
        return said

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
