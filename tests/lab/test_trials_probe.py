import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.order import Order, effective_interval_ms, read
from lab.trials import probe

REPORT = {"version": 1, "kind": "applied", "sequence": 7, "interval_ms": 500, "latency_ms": 0.4}


@contextmanager
def running(directory: Path) -> Iterator["subprocess.Popen[str]"]:
    """The probe as it runs on a host, once it listens."""
    words = [sys.executable, "-I", "-u", probe.__file__, str(directory)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert "listening" in told(child)
        yield child
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


def told(child: "subprocess.Popen[str]") -> dict[str, Any]:
    assert child.stdout is not None
    line: dict[str, Any] = json.loads(child.stdout.readline())
    return line


def say(child: "subprocess.Popen[str]", line: str) -> dict[str, Any]:
    assert child.stdin is not None
    child.stdin.write(f"{line}\n")
    child.stdin.flush()
    return told(child)


def in_force_ms(directory: Path) -> int:
    return effective_interval_ms(read(directory / "order"), time.monotonic_ns(), 25)


def test_orders_are_those_that_the_contract_knows(tmp_path: Path) -> None:
    with running(tmp_path) as child:
        before_ns = time.monotonic_ns()
        said = say(child, "500 30")
        assert before_ns < said["ns"] < time.monotonic_ns()
        order = Order.parse((tmp_path / "order").read_text())
        assert (order.sequence, order.interval_ms) == (said["ordered"], 500)
        assert (tmp_path / "order").stat().st_mode & 0o777 == 0o600
        assert in_force_ms(tmp_path) == 500
        assert say(child, "25 30")["ordered"] > order.sequence


def test_orders_can_be_spoilt_and_taken_away(tmp_path: Path) -> None:
    with running(tmp_path) as child:
        say(child, "500 30")
        say(child, 'raw {"version": 1, "seq')
        assert (tmp_path / "order").read_text() == '{"version": 1, "seq'
        assert in_force_ms(tmp_path) == 25
        say(child, "remove")
        assert not (tmp_path / "order").exists()
        say(child, "remove")


def test_reports_are_passed_on_with_the_time(tmp_path: Path) -> None:
    (tmp_path / "report.sock").touch()  # the agent's, which is in the way
    with running(tmp_path) as child, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as pacer:
        before_ns = time.monotonic_ns()
        pacer.sendto(json.dumps(REPORT).encode(), str(tmp_path / "report.sock"))
        said = told(child)
        assert said["report"] == REPORT
        assert before_ns < said["ns"] < time.monotonic_ns()
