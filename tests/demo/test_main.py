"""The whole command as processes: what it says, how it ends, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from demo.__main__ import Stop, Stopped, main

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def quick_demo(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.demo.quick", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        try:
            yield demo
        finally:
            if demo.poll() is None:
                demo.kill()


@contextmanager
def handlers_kept() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def names(processes: list[psutil.Process]) -> str:
    return " ".join(" ".join(process.cmdline()) for process in processes)


def test_ctrl_c_ends_load_agent_and_predictor(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with quick_demo(folder) as demo:
        deadline_s = time.monotonic() + 40
        while not list(folder.glob("stress-*/*")):  # disk load is under way
            assert time.monotonic() < deadline_s
            assert demo.poll() is None
            time.sleep(0.05)
        started = psutil.Process(demo.pid).children(recursive=True)
        running = names(started)
        assert all(name in running for name in ("hefery-agent", "hefery-predictor", "stress-ng"))
        os.kill(demo.pid, signal.SIGINT)
        _, said = demo.communicate(timeout=30)
    assert demo.returncode == 128 + signal.SIGINT
    assert "demo: stopped" in said
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert list(folder.glob("stress-*/")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_noticed_at_the_next_wait(number: signal.Signals) -> None:
    with handlers_kept():
        stop = Stop()
        stop.wait(0)
        signal.raise_signal(number)
        with pytest.raises(Stopped):
            stop.wait(3600)
        assert stop.number == number


def test_without_stress_ng_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with handlers_kept():
        assert main(["--folder", str(tmp_path / "run")]) == 1
    assert "stress-ng is not installed; start the demo by make demo" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    with quick_demo(tmp_path) as demo:
        _, said = demo.communicate(timeout=30)
    assert demo.returncode == 1
    assert "File exists" in said
    assert list(tmp_path.iterdir()) == []
