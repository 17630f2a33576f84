"""Where benchmarks put their files: out, a folder that is removed in the end."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BUILD = Path(__file__).parents[1] / "build"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the project's own disk: /tmp may be in memory, where a sync costs nothing."""
    _BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_BUILD) as folder:
        yield Path(folder)
