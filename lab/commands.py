"""Commands of this machine: in, a list of words; out, what it printed, or LabError with what went wrong."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError

_LINES_OF_ERROR = 15


def run(
    *words: str | Path, stdin: str = "", timeout_s: float = 60, environment: Mapping[str, str] | None = None
) -> str:
    """Standard output of a command. Raises LabError with the end of its output where it fails or takes too long."""
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: run `make lab`, which installs what the lab needs") from None
    except subprocess.TimeoutExpired:
        raise LabError(
            f"`{' '.join(command)}` took more than {timeout_s:g} s: try again, or look with status"
        ) from None
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed ({done.returncode}):\n{_end(done.stdout + done.stderr)}")
    return done.stdout


def log_run(log: Path, *words: str | Path, timeout_s: float = 1200, stdin: Path | None = None) -> None:
    """Run a long command with its output appended to `log`. Raises LabError naming the log."""
    command = [str(word) for word in words]
    with log.open("a", encoding="utf-8") as out, (stdin or Path(os.devnull)).open("rb") as source:
        try:
            done = subprocess.run(
                command, check=False, stdin=source, stdout=out, stderr=subprocess.STDOUT, timeout=timeout_s
            )
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise LabError(f"{error}; its output is in {log}") from None
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed ({done.returncode}), see {log}:\n{_end(log.read_text())}")


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LINES_OF_ERROR:])
