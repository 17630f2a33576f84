"""Whether a copy may take a domain over: in, what its guard has said last; out, yes or no."""

import json
from pathlib import Path

from telemetry import files


def is_named(run_dir: Path, domain: str) -> bool:
    """Whether the record names a backup, where there is a guard; checkpoints alone protect where there never was one.

    The file is that of `hefery-remus guard` (failover/guard_store.py).
    """
    try:
        text = files.read(run_dir / "guard" / domain / "state")
        return text is None or bool(json.loads(text)["backup"])
    except (OSError, ValueError, TypeError, LookupError):
        return False
