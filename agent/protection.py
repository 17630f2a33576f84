"""How a domain's replication goes, for people and playbooks on this host: in, a period's figures; out, a small file."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.order import domain_directory
from telemetry import files
from telemetry.point import Value
from telemetry.units import NS_PER_S

VERSION = 1
_SPARE_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Protection:
    """What the newest file says: whether checkpoints keep coming, and the `figures` of a `checkpoint` point."""

    protected: bool
    figures: Mapping[str, float]


def protection_path(run_dir: Path, domain: str) -> Path:
    """The file of `domain`; raises OrderError for a name that would lead elsewhere."""
    return domain_directory(run_dir, domain) / "replication"


def show(path: Path, figures: Mapping[str, Value | None], period_s: float, monotonic_ns: int) -> None:
    """Replace the file, which then stands for three periods and 2 s; remove it where `figures` claims nothing.

    Never raises: nobody is to be held up by a file that is only looked at.
    """
    try:
        if not figures:
            path.unlink(missing_ok=True)
        elif path.parent.is_dir():
            until_ns = monotonic_ns + int((3 * period_s + _SPARE_S) * NS_PER_S)
            said = {"version": VERSION, "until_monotonic_ns": until_ns, **figures}
            files.replace(path, json.dumps(said) + "\n", durable=False)
    except OSError as error:
        _log.warning("%s: %s", path, error)
        with suppress(OSError):
            path.unlink(missing_ok=True)  # what it said may no longer be so


def read(path: Path, monotonic_ns: int) -> Protection | None:
    """What the file says; None where there is none, it is too old, or it cannot be understood."""
    try:
        said = json.loads(files.read(path) or "")
        if said["version"] != VERSION or said["until_monotonic_ns"] <= monotonic_ns:
            return None
        figures = {name: value for name, value in said.items() if type(value) is float}
        return Protection(said["protected"] is True, figures)
    except (OSError, ValueError, TypeError, LookupError):
        return None
