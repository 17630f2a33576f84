"""hefery-agent as it is, but that the kernel knows its threads by their names: what each costs can be told outside."""

import sys
import threading
from pathlib import Path

from agent.cli import main

_run = threading.Thread.run


def _run_named(thread: threading.Thread) -> None:
    Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(thread.name, encoding="utf-8")
    _run(thread)


if __name__ == "__main__":
    threading.Thread.run = _run_named  # type: ignore[method-assign, assignment]  # what is measured stays as it is
    sys.exit(main())
