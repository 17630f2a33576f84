"""What a benchmark tells: in, the figures of every run; out, rows with medians and spread, as JSON and as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Goal:
    """What was set out to reach: for `ours` in the row's unit, or for how many `times` as good as the other it is."""

    of: Literal["ours", "times"]
    bound: float


@dataclass(frozen=True)
class Row:
    """A quantity measured in several runs, `ours` and, by turns with it, the `other` tool's where there is one."""

    bench: str
    case: str
    unit: str
    better: Better
    ours: tuple[float, ...]
    other: str = ""
    theirs: tuple[float, ...] = ()
    goal: Goal | None = None
    seed: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a comparison whose runs do not come in pairs."""
        if not self.ours or (self.other and len(self.ours) != len(self.theirs)):
            raise ValueError(f"{self.bench}, {self.case}: {len(self.ours)} runs of ours, {len(self.theirs)} of theirs")

    @property
    def times(self) -> float | None:
        """How many times as good as the other: the median over pairs of runs, as both of a pair met the same load."""
        if not self.other:
            return None
        less = self.better == "less"
        return median(b / a if less else a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def reached(self) -> bool | None:
        """Whether the goal was reached; None without one."""
        if self.goal is None:
            return None
        if self.goal.of == "times":
            return self.times is not None and self.times >= self.goal.bound
        value = median(self.ours)
        return value <= self.goal.bound if self.better == "less" else value >= self.goal.bound

    def document(self) -> dict[str, Any]:
        """All of it for JSON: every run's figure, and what is made of them."""
        about = {
            "ours_median": median(self.ours),
            "theirs_median": median(self.theirs) if self.theirs else None,
            "times": self.times,
            "reached": self.reached,
        }
        return asdict(self) | about


_HEADER = ("benchmark", "unit", "hefery: median (min-max)", "other: median (min-max)", "times as good", "goal", "")


def table(rows: Sequence[Row]) -> str:
    """The rows for people to read, their notes below."""
    cells = [_HEADER, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", *_notes(rows)])


def _cells(row: Row) -> tuple[str, ...]:
    times = "" if row.times is None else f"{row.times:.2f}"
    verdict = {None: "", True: "reached", False: "MISSED"}[row.reached]
    theirs = f"{row.other}: {_spread(row.theirs)}" if row.other else ""
    return (f"{row.bench}: {row.case}", row.unit, _spread(row.ours), theirs, times, _goal(row), verdict)


def _spread(runs: Sequence[float]) -> str:
    return f"{_short(median(runs))} ({_short(min(runs))}-{_short(max(runs))})"


def _short(value: float) -> str:
    """Three digits that count, and no exponent for people to decipher."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    sign = "<=" if row.goal.of == "ours" and row.better == "less" else ">="
    return f"{sign} {row.goal.bound:g}{' times' if row.goal.of == 'times' else ''}"


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    for bench, note in dict.fromkeys((row.bench, row.note) for row in rows if row.note):
        of_bench = [row for row in rows if row.bench == bench]
        noted = dict.fromkeys(row.case for row in of_bench if row.note == note)
        about = "" if len(noted) == len({row.case for row in of_bench}) else f", {'; '.join(noted)}"
        yield f"* {bench}{about}: {note}"
