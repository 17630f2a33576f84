"""Every order of events that a heartbeat can judge, with the real programs: the guest runs exactly once."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failover.hosts import Pair, wait_for


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.end()
    print(pair.a.log(), pair.b.log())


def test_power_cut_of_the_primary(pair: Pair) -> None:
    xl = pair.protect()
    pair.silence_a()
    os.kill(xl.pid, signal.SIGSTOP)
    wait_for(pair.b.runs)
    wait_for(lambda: "event takeover --domain web1" in pair.b.events())
    assert pair.phase() == "running"
