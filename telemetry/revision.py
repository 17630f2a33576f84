"""Which code this is: in, the folder that it lies in; out, the commit that is checked out there."""

import os
import subprocess
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]


def commit(root: Path = _ROOT) -> str:
    """What `git describe` says: `-dirty` where files differ from the commit, "unknown" where there is no git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    # an installed copy may lie within the repository of something else
    only_here = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        return subprocess.run(command, env=only_here, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
