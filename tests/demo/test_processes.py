import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo import processes
from demo.processes import Child, ChildFailed, running
from tests.waiting import wait_for

PYTHON = sys.executable


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
        wait_for(lambda: log.exists() and "\n" in log.read_text())
        grandchild = psutil.Process(int(log.read_text()))
    assert child.process.returncode == -signal.SIGKILL
    psutil.wait_procs([grandchild], timeout=5)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from demo.processes import Child;"
        "print(Child.start(['sleep', '60'], Path(sys.argv[1])).process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([PYTHON, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        deadline_s = time.monotonic() + 20
        while child.name() != "sleep":  # before, it has not asked the kernel yet
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        parent.kill()
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_one_that_ended_by_itself_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    child = Child.start([PYTHON, "-c", "import sys; sys.exit('no such luck')"], tmp_path / "log")
    child.process.wait()
    with pytest.raises(ChildFailed, match=r"ended with status 1: no such luck \(in .*log\)"):
        child.check()
    child.end()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no-such-program is not installed; start the demo by make demo"):
        Child.start(["no-such-program"], tmp_path / "log")
