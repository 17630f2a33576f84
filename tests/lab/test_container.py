import os
import signal
from pathlib import Path

import pytest

from lab import container, processes
from lab.landscape import HOSTS, Instance


@pytest.fixture
def lab(tmp_path: Path) -> Instance:
    lab = Instance("x", state=tmp_path / "state", run=tmp_path / "run", cache=tmp_path)
    lab.run.mkdir()
    return lab


def test_ends_the_containers_init_not_only_who_watches_it(lab: Instance, tmp_path: Path) -> None:
    """nspawn's death leaves its container alive; its init's takes everything along, and nspawn then ends by itself."""
    pid_file, log = lab.run / "m.pid", tmp_path / "log"
    watcher = "sleep 60 & echo $!; wait"
    process = processes.start(["sh", "-c", watcher], pid_file, log)
    assert processes.wait(lambda: log.read_text().endswith("\n"), 5)
    init = int(log.read_text())
    try:
        container.stop(lab, HOSTS["m"])
        assert not process.alive
        with pytest.raises(ProcessLookupError):
            os.kill(init, 0)
    finally:
        process.kill(signal.SIGKILL, 1)
