"""What verify.yml says of the landscape: in, a folder for its log; out, what it found wrong."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lab.landscape import ROOT
from lab.trials import playbooks
from lab.trials.playbooks import Counts

_REPORT: Final = ROOT / "build" / "lab" / "verify.json"
_ONLY_RED: Final = "Be green only where every check is"
_EMPTY: Final = "0 of "


def verified(log: Path, *words: str, excused: Sequence[str] = ()) -> tuple[list[str], int]:
    """What is wrong, and how many checks were made; `excused` are words of remedies of panels that may be empty."""
    _REPORT.unlink(missing_ok=True)
    counts = playbooks.play("playbooks/verify.yml", log, *words)
    if not _REPORT.exists():
        return [f"verify.yml has made no report: {'; '.join(counts.tasks[-3:])}"], 0
    told = json.loads(_REPORT.read_text(encoding="utf-8"))
    return [*red(told["rows"], excused), *failed(counts)], told["checks"]


def red(rows: Sequence[Mapping[str, Any]], excused: Sequence[str] = ()) -> list[str]:
    """The checks that failed, but for panels that have nothing to show for a reason that is excused."""
    return [
        f"{row['part']} {row['check']}: {row['found']}"
        for row in rows
        if not row["ok"] and not _is_excused(row, excused)
    ]


def failed(counts: Counts) -> list[str]:
    """The tasks that failed but for the last of verify.yml, which does so for any red row."""
    is_red = any(_ONLY_RED in task for task in counts.tasks)
    broken = [task for task in counts.tasks if not task.endswith(": changed") and _ONLY_RED not in task]
    return broken[-3:] if counts.broken > is_red else []


def _is_excused(row: Mapping[str, Any], excused: Sequence[str]) -> bool:
    is_empty = row["part"] == "panel" and row["found"].startswith(_EMPTY)
    return is_empty and any(words in row["remedy"] for words in excused)
