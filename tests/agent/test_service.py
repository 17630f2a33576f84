import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.lock import is_held
from agent.order import effective_interval_ms, order_path, read
from agent.spool_state import read_state
from telemetry.point import Point
from telemetry.settings import SqliteSettings
from telemetry.store import Store
from telemetry.stores import open_store
from tests.waiting import wait_for

LIMIT_S = 20.0


class Running:
    """A real agent process that measures this machine as domain `local`, before a service manager."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.run_dir, self.spool = directory, directory / "run", directory / "spool.db"
        self.config, self.store_path = directory / "agent.toml", directory / "store.db"
        self.config.write_text(
            f"""
host = "a"
run_dir = "{self.run_dir}"
store = {{ kind = "sqlite", path = "{self.store_path}" }}
spool = {{ path = "{self.spool}" }}
sender = {{ period_s = 0.05 }}
xen = {{ enabled = true, guest_memory = false }}  # and no xentop: it fails, the others go on
machine = {{ period_s = 0.1 }}
guest = {{ enabled = true, domain = "local", period_s = 0.1 }}
governor = {{ primary = "assumed", domains = ["local"], period_s = 0.05 }}
health = {{ period_s = 0.2 }}
"""
        )
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(directory / "notify"))
        self.manager.settimeout(LIMIT_S)
        self.log = (directory / "log").open("w+")
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        told = {"NOTIFY_SOCKET": str(self.directory / "notify"), "WATCHDOG_USEC": "300000", "PATH": "/nowhere"}
        code = "import sys; from agent.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "--config", str(self.config), "run"]
        return subprocess.Popen(command, env={**os.environ, **told}, stderr=self.log)

    def states(self, last: bytes) -> list[bytes]:
        """What the service manager hears until `last`."""
        heard = [self.manager.recv(100)]
        while heard[-1] != last:
            heard.append(self.manager.recv(100))
        return heard

    def interval_ms(self) -> int:
        return effective_interval_ms(read(order_path(self.run_dir, "local")), time.monotonic_ns(), 25)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.manager.close()
        self.log.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    agent = Running(tmp_path)
    yield agent
    agent.end()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(SqliteSettings(kind="sqlite", path=tmp_path / "store.db"))
    yield store
    store.close()


def newest(store: Store, measurement: str) -> list[Point]:
    return store.latest(measurement, since_ns=time.time_ns() - 60 * 10**9)


def decide(store: Store, sequence: int, interval_ms: float, valid_for_s: float = 60.0) -> None:
    fields: dict[str, float | int | str] = {"interval_ms": interval_ms, "valid_for_s": valid_for_s, "reason": "calm"}
    store.append([Point("decision", {"domain": "local"}, {**fields, "sequence": sequence}, time.time_ns())])


def test_from_start_to_stop(running: Running, store: Store) -> None:
    assert running.states(b"WATCHDOG=1") == [b"READY=1", b"WATCHDOG=1"]
    wait_for(lambda: list(read_state(running.spool).failing) == ["xen"])
    for measurement in ("host", "domain", "agent"):
        wait_for(partial(newest, store, measurement))
    decide(store, 1, 2_000.0)
    wait_for(lambda: running.interval_ms() == 2_000)
    decide(store, 2, 25.0)
    wait_for(lambda: running.interval_ms() == 25)
    decide(store, 3, 500.0)
    wait_for(lambda: running.interval_ms() == 500)
    running.process.send_signal(signal.SIGTERM)
    assert running.states(b"STOPPING=1")[-1] == b"STOPPING=1"
    assert running.process.wait(LIMIT_S) == 0
    assert running.interval_ms() == 25
    assert not is_held(running.spool.with_name("spool.db.lock"))
    assert read_state(running.spool).points == 0
    texts = [p.fields["text"] for p in store.events("event", 0, 2**62, where={"kind": "interval"})]
    assert texts == ["25 -> 2000 ms: calm", "2000 -> 25 ms: calm", "25 -> 500 ms: calm"]
    running.log.seek(0)
    log = running.log.read()
    assert "xen failed, again in" in log
    assert "Traceback" not in log


def test_only_one_agent_uses_a_spool(running: Running) -> None:
    running.states(b"READY=1")
    second = running.start()
    assert second.wait(LIMIT_S) == 1
    running.log.seek(0)
    assert f"held by process {running.process.pid}; stop it first" in running.log.read()
    assert running.process.poll() is None


def test_a_killed_agent_goes_on_where_it_was(running: Running, store: Store) -> None:
    wait_for(lambda: newest(store, "domain"))
    decide(store, 1, 2_000.0)
    wait_for(lambda: running.interval_ms() == 2_000)
    running.process.kill()
    running.process.wait()
    assert running.interval_ms() == 2_000  # until its deadline: nobody renews it
    running.process = running.start()
    running.states(b"READY=1")
    decide(store, 2, 500.0)
    wait_for(lambda: running.interval_ms() == 500)


def test_a_store_that_is_away_keeps_points_and_the_agent_alive(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    agent = Running(tmp_path)
    try:
        agent.states(b"WATCHDOG=1")
        wait_for(lambda: read_state(agent.spool).points > 5)
        wait_for(lambda: read_state(agent.spool).trouble)
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(LIMIT_S) == 0
        assert read_state(agent.spool).points > 5
        assert agent.interval_ms() == 25
    finally:
        agent.end()
