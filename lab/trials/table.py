"""The report for people: in, the report; out, a table of parts, and where the evidence of a failure is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.trials import evidence
from lab.trials.part import Part
from lab.trials.report import Report


def table(parts: Sequence[Part], counts: Mapping[str, int], report: Report, folder: Path) -> str:
    """Name, trials, minutes and figures of every part; then what was made again, what failed, and goals missed."""
    lines = [f"{'part':<22}{'passed':>8}{'minutes':>9}  figures"]
    for part in parts:
        rows = report.rows.get(part.name, [])
        passed = f"{sum(row.passed for row in rows)}/{counts[part.name]}"
        minutes = sum(row.seconds for row in rows) / 60
        lines += [f"{part.name:<22}{passed:>8}{minutes:>9.1f}  {line}" for line in _figures(part.summary(rows))[:1]]
        lines += [f"{'':<41}{line}" for line in _figures(part.summary(rows))[1:]]
    return "\n".join([*lines, *_failures(parts, counts, report, folder)])


def _figures(summary: Any) -> list[str]:
    if isinstance(summary, list):
        return [_line(entry) for entry in summary] or ["-"]
    return [_line(summary)]


def _line(figures: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {_number(value)}" for name, value in figures.items())


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)


def _failures(parts: Sequence[Part], counts: Mapping[str, int], report: Report, folder: Path) -> Iterator[str]:
    for part in parts:
        rows = report.rows.get(part.name, [])
        for row in rows:
            logs = folder / part.name / str(row.trial)
            if row.at_first:
                yield f"AGAIN  {part.name} {row.trial}: {row.at_first}\n       logs: {logs}-at-first"
            if not row.passed:
                yield f"FAILED {part.name} {row.trial}: {'; '.join(row.faults)}\n       logs: {logs}"
                yield from (f"       {line}" for line in evidence.excerpt(logs))
        yield from (f"FAILED {part.name}: {fault}" for fault in part.faults(rows, counts[part.name]))
        yield from (f"SLOW   {part.name}: {goal}" for goal in part.goals(rows))
