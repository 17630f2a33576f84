"""The model checker: in, parts of the model taken away and what to look for; out, what the search has found."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).parent.parent.parent / "model" / "one_live_copy.pml"

_MEMORY_MB: Final = 3000
_DEEPEST: Final = 2_000_000
_LIMIT_S: Final = 900
_CUT_SHORT: Final = ("max search depth too small", "out of memory", "hash-compact", "Bit statespace", "interrupted")


@dataclass(frozen=True)
class Search:
    """What a search has found."""

    is_exhaustive: bool
    """Every state was visited, and stored whole; no error has ended the search."""
    states: int
    counterexample: tuple[str, ...] | None
    """The steps that lead to the error, in words; None where there is no error."""


def search(
    folder: Path,
    *switches: str,
    story: Sequence[str] = (),
    is_shortest: bool = True,
    deepest: int = _DEEPEST,
    is_lasting: bool = False,
) -> Search:
    """Build a checker in `folder` and run it; `switches` are the model's own (`FENCE=0`).

    With a `story`, conditions that come true one after the other, the error to be found is that it may happen.
    `is_shortest` finds a shortest counterexample; else no path longer than `deepest` is followed. `is_lasting` looks
    for cycles that must not be, too. Raises RuntimeError where a tool is missing or fails.
    """
    flags = [f"-D{switch}" for switch in switches]
    (folder / "check.pml").write_text(f'#include "{MODEL}"\n{_told(story)}', encoding="ascii")
    _run(folder, "spin", "-a", *flags, "check.pml")
    # partial order reduction saves nothing here, where all is shared
    options = ["-w", "-DNOREDUCE", f"-DMEMLIM={_MEMORY_MB}", *([] if is_lasting else ["-DSAFETY"])]
    _run(folder, "gcc", *options, *(["-O1", "-DBFS"] if is_shortest else ["-O2"]), "-o", "pan", "pan.c")
    said = _run(folder, "./pan", f"-m{deepest}", "-w25", *(["-a"] if is_lasting else []))
    return _read(said, folder, flags)


def _told(story: Sequence[str]) -> str:
    if not story:
        return ""
    steps = "\n".join(f"    ({condition});" for condition in story)
    return f"active proctype Story() {{\n{steps}\n    assert(false)\n}}\n"


def _read(said: str, folder: Path, flags: Sequence[str]) -> Search:
    found = re.search(r"errors: (\d+)\n\s*(\d+) states, stored", said)
    if found is None:
        raise RuntimeError(f"pan has not said what it found:\n{said}")
    errors, states = (int(figure) for figure in found.groups())
    is_full = "Full statespace search" in said and not any(words in said for words in _CUT_SHORT)
    return Search(is_full and not errors, states, _steps(folder, flags) if errors else None)


def _steps(folder: Path, flags: Sequence[str]) -> tuple[str, ...]:
    replayed = _run(folder, "spin", "-T", "-k", "check.pml.trail", *flags, "check.pml")
    # a clock that was set meanwhile makes spin warn that the model be newer than its trail, before the first step
    lines = (line.strip() for line in replayed.splitlines() if not line.startswith("spin: warning"))
    return tuple(takewhile(lambda line: not line.startswith(("spin:", "#processes")), lines))


def _run(folder: Path, command: str, *arguments: str) -> str:
    if not command.startswith("./") and shutil.which(command) is None:
        raise RuntimeError(f"{command} is not installed; `make test` installs it")
    done = subprocess.run(
        [command, *arguments], cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    if done.returncode and command != "./pan":
        raise RuntimeError(f"{command} {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr
