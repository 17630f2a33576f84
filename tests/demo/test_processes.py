import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from demo import processes
from demo.processes import Child, ChildFailed, running

PYTHON = sys.executable


def wait_for(log: Path, text: str) -> None:
    """Until the child has said it."""
    import time

    deadline_s = time.monotonic() + 20
    while text not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline_s, f"{text!r} did not come"
        time.sleep(0.02)


def test_a_child_ends_with_its_block(tmp_path: Path) -> None:
    with running([PYTHON, "-c", "import time; time.sleep(60)"], tmp_path / "log") as child:
        child.check()
        assert os.getpgid(child.process.pid) == child.process.pid
    assert child.process.returncode == -signal.SIGTERM


def test_a_child_ends_when_the_block_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        running([PYTHON, "-c", "import time; time.sleep(60)"], tmp_path / "log") as child,
    ):
        raise ZeroDivisionError
    assert child.process.returncode == -signal.SIGTERM


def test_one_that_does_not_listen_is_forced_with_its_own_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.2)
    log = tmp_path / "log"
    script = 'trap "" TERM; sleep 60 & echo $!; wait; wait'
    with running(["sh", "-c", script], log) as child:
        wait_for(log, "\n")
        grandchild = psutil.Process(int(log.read_text()))
    assert child.process.returncode == -signal.SIGKILL
    psutil.wait_procs([grandchild], timeout=5)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_one_that_ended_by_itself_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    child = Child.start([PYTHON, "-c", "import sys; sys.exit('no such luck')"], tmp_path / "log")
    child.process.wait()
    with pytest.raises(ChildFailed, match=r"ended with status 1: no such luck \(in .*log\)"):
        child.check()
    child.end()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no-such-program cannot be started: No such file"):
        Child.start(["no-such-program"], tmp_path / "log")
