"""What the pacer's tests share: its build, and replications by the stand-in xl that are ended when a test is."""

import fcntl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pacer.replication import Replication

ROOT = Path(__file__).parent.parent.parent
Start = Callable[..., Replication]


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with the sanitized pacer, its probe and the stand-ins; the pacer as it is delivered is above it."""
    folder = ROOT / "build" / "pacer"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:  # test processes run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "--silent", "-C", ROOT / "pacer", "tests"], check=True)
    return folder / "tests"


@pytest.fixture
def start(built: Path, tmp_path: Path) -> Iterator[Start]:
    """Start `xl remus` of the stand-in with the pacer in it; keyword arguments are Replication's."""
    with ExitStack() as stack:
        yield lambda **wanted: stack.enter_context(Replication(built, tmp_path / "web1", **wanted))
