"""What a part of the trials is: in, its name and counts; out, a session that makes one trial after the other."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from lab.trials.report import Row
from lab.trials.site import Site


@dataclass(frozen=True)
class Outcome:
    """What a trial measured, and its faults: what went against expectation, in words."""

    measured: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One trial to make: its number from 1 on, its own random numbers, and a folder for its logs."""

    number: int
    random: Random
    folder: Path


Trial = Callable[[Turn], Outcome]
Session = Callable[[Site], AbstractContextManager[Trial]]


def nothing(_: Sequence[Row]) -> tuple[str, ...]:
    """No goal is missed."""
    return ()


@dataclass(frozen=True)
class Part:
    """Trials of one kind: how many in CI and in full, how to make them, and what they add up to.

    `session` prepares the site, and yields what makes one trial; `summary` is what the report says of the rows under
    `key`, `goals` which of the times that are aimed at were missed: they depend on the machine and on what else it
    does, so they are told, and fail a run only where that is asked for. Where each trial is another case, their number
    is `fixed`.
    """

    name: str
    key: str
    ci: int
    full: int
    session: Session
    summary: Callable[[Sequence[Row]], Any]
    goals: Callable[[Sequence[Row]], tuple[str, ...]] = nothing
    fixed: bool = False
    by_default: bool = True
    """Made where no part is named."""

    def count(self, *, full: bool, wanted: int | None = None) -> int:
        """How many trials to make; `wanted` instead of the usual, but none of a part that is not made at all."""
        usual = self.full if full else self.ci
        return usual if self.fixed or not usual or wanted is None else wanted

    def faults(self, rows: Sequence[Row], count: int) -> tuple[str, ...]:
        """What is wrong with the part as a whole, beside the faults of single trials."""
        return (f"only {len(rows)} of {count} trials were made",) if len(rows) < count else ()

    def failed(self, rows: Sequence[Row], count: int, *, strict: bool = False) -> bool:
        """Whether anything is wrong with the part or one of its trials; `strict`: or a goal was missed."""
        return (
            bool(self.faults(rows, count)) or not all(row.passed for row in rows) or (strict and bool(self.goals(rows)))
        )


def faults(findings: Mapping[str, bool]) -> tuple[str, ...]:
    """The words of what was found to be so."""
    return tuple(words for words, found in findings.items() if found)


def values(rows: Sequence[Row], name: str) -> list[float]:
    """What was measured of `name`, where it was."""
    return [row.measured[name] for row in rows if row.measured.get(name) is not None]


def median_of(rows: Sequence[Row], name: str) -> float | None:
    """The median of what was measured of `name`; None for nothing."""
    known = values(rows, name)
    return round(median(known), 3) if known else None
