"""The command `python -m dashboards.typecheck`: in, the rendered dashboards; out, what Grafana's types object to."""

import subprocess
import sys
from pathlib import Path

from dashboards.__main__ import FOLDER
from dashboards.node import prepared


def main() -> int:
    """Check; 0 where there is nothing to object to."""
    folder = prepared(Path(__file__).parent, Path("build/dashboards/typecheck"))
    boards = sorted(str(path.resolve()) for path in FOLDER.glob("*.json"))
    return subprocess.run(["node", "check.mjs", *boards], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
