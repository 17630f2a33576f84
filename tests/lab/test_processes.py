import os
import signal
from pathlib import Path

import pytest

from lab.processes import Process, find, start, wait


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "pid", tmp_path / "log"


def test_outlives_ctrl_c_and_is_found_again(files: tuple[Path, Path]) -> None:
    process = start(["sleep", "60"], *files)
    try:
        assert os.getsid(process.pid) == process.pid
        assert find(files[0]) == process
    finally:
        assert process.kill(signal.SIGKILL, 5)
    assert not process.alive
    assert find(files[0]) is None


def test_a_pid_used_again_is_another_process(files: tuple[Path, Path]) -> None:
    files[0].write_text(f"{os.getpid()} 1\n")
    assert find(files[0]) is None
    assert Process(os.getpid(), "1").kill(signal.SIGKILL, 1), "this test goes on"


@pytest.mark.parametrize("text", ["", "12", "one two three"])
def test_a_broken_pid_file_names_nothing(files: tuple[Path, Path], text: str) -> None:
    files[0].write_text(text)
    assert find(files[0]) is None


def test_tells_what_lives_on(files: tuple[Path, Path]) -> None:
    process = start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], *files)
    try:
        assert wait(lambda: files[1].read_text() == "ready\n", 5)
        assert not process.kill(signal.SIGTERM, 0.3)
    finally:
        assert process.kill(signal.SIGKILL, 5)
