"""The wait for signals, in a process of its own, as programs are told to stop and are suspended."""

import signal
import subprocess
import sys

import psutil
import pytest

WAITING = """
from telemetry.stop import stop_signals
wait = stop_signals()
print("waiting", flush=True)
print(wait({limit_s}), flush=True)
"""


def waiting(limit_s: float | None) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", WAITING.format(limit_s=limit_s)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number: signal.Signals) -> None:
    process = waiting(None)
    process.send_signal(number)
    assert process.communicate(timeout=10)[0] == "True\n"


def test_being_suspended_past_the_end_of_the_wait_is_no_signal() -> None:
    process = waiting(0.3)
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    assert psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=10)[0] == "False\n"
