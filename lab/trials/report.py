"""The report: in, rows of trials; out, one JSON file, whole at any moment, from which a broken run goes on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from telemetry.files import replace

_INDENT = 1


@dataclass(frozen=True)
class Row:
    """One trial: what was measured, and what went against expectation (none: it passed)."""

    trial: int
    faults: tuple[str, ...]
    seconds: float
    measured: Mapping[str, Any]
    at_first: str = ""
    """Why it could not be made at the first try; empty where it could."""

    @property
    def passed(self) -> bool:
        """Whether all went as it should."""
        return not self.faults


@dataclass(frozen=True)
class Run:
    """What the figures depend on."""

    commit: str
    seed: int
    machine: Mapping[str, Any]
    date: str


@dataclass
class Report:
    """All rows by part, in the order in which they came."""

    run: Run
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, part: str, row: Row) -> None:
        """Take a row in, in place of an older one of the same number."""
        kept = [other for other in self.rows.get(part, []) if other.trial != row.trial]
        self.rows[part] = sorted([*kept, row], key=lambda r: r.trial)

    def has(self, part: str, trial: int) -> bool:
        """Whether the trial was made."""
        return any(row.trial == trial for row in self.rows.get(part, []))

    def encode(self, summary: Mapping[str, Any]) -> str:
        """As it stands in the file, with the parts' summaries at its top."""
        rows = {part: [asdict(row) for row in rows] for part, rows in self.rows.items()}
        return json.dumps({**asdict(self.run), **summary, "rows": rows}, indent=_INDENT) + "\n"


def save(path: Path, report: Report, summary: Mapping[str, Any]) -> None:
    """Replace the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, report.encode(summary), durable=True)


def load(path: Path, run: Run) -> Report:
    """The rows in the file where they are of the same commit and seed; an empty report otherwise."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if (said["commit"], said["seed"]) != (run.commit, run.seed):
            return Report(run)
        rows = {part: [_row(row) for row in rows] for part, rows in said["rows"].items()}
    except FileNotFoundError:
        return Report(run)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a report of trials ({error}): move it away") from error
    return Report(run, rows)


def _row(said: Mapping[str, Any]) -> Row:
    return Row(said["trial"], tuple(said["faults"]), said["seconds"], said["measured"], said.get("at_first", ""))
