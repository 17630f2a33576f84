import sqlite3
import threading
from pathlib import Path

import pytest

from agent.record import append, record
from agent.rows import decode
from agent.service import run
from agent.settings import AgentSettings
from agent.spool import Spool
from telemetry.notify import Notifier
from telemetry.point import Point, PointError
from telemetry.settings import load
from telemetry.store import StoreError
from telemetry.stores import open_store

TIME_NS = 1_700_000_000 * 10**9


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(
        f"""
host = "b"
run_dir = "{tmp_path / "run"}"
store = {{ kind = "sqlite", path = "{tmp_path / "store.db"}" }}
spool = {{ path = "{tmp_path / "state" / "spool.db"}" }}
sender = {{ period_s = 0.01 }}
xen = {{ enabled = false }}
machine = {{ enabled = false }}
checkpoints = {{ enabled = false }}
governor = {{ enabled = false }}
"""
    )
    return path


def takeover(time_ns: int) -> Point:
    return Point("event", {"kind": "takeover", "domain": "web1", "host": "b"}, {"text": "a is silent"}, time_ns)


def spooled(config: Path) -> list[Point]:
    spool = Spool(load(config, AgentSettings).spool.path, max_bytes=10**6, max_age_s=1e9)
    try:
        return [decode(row.body) for row in spool.oldest(100)]
    finally:
        spool.close()


def test_waits_in_the_spool_where_no_agent_has_ever_run(config: Path) -> None:
    record(config, "takeover", "a is silent", domain="web1", time_ns=TIME_NS)
    assert spooled(config) == [takeover(TIME_NS)]
    assert load(config, AgentSettings).spool.path.stat().st_mode & 0o777 == 0o600


def test_a_running_agent_sends_it(config: Path) -> None:
    settings, stop = load(config, AgentSettings), threading.Event()
    agent = threading.Thread(target=run, args=(settings, stop.wait, Notifier()))
    agent.start()
    try:
        record(config, "takeover", "a is silent", domain="web1", time_ns=TIME_NS)
    finally:
        stop.set()
        agent.join(10.0)
    assert spooled(config) == []
    store = open_store(settings.store)
    assert takeover(TIME_NS) in store.events("event", start_ns=TIME_NS, stop_ns=TIME_NS + 1)
    store.close()


def test_many_at_once_beside_the_spools_owner_lose_nothing(config: Path) -> None:
    path = load(config, AgentSettings).spool.path
    owner = Spool(path, max_bytes=10**6, max_age_s=1e9)
    writers = [threading.Thread(target=append, args=(path, [takeover(TIME_NS + n)], TIME_NS)) for n in range(8)]
    for writer in writers:
        writer.start()
    owner.add([takeover(TIME_NS + 8)])
    for writer in writers:
        writer.join()
    assert owner.state().points == len(owner.oldest(100)) == 9
    owner.close()


def test_refuses_what_the_schema_does_not_know(config: Path) -> None:
    with pytest.raises(PointError, match="tag domain"):
        record(config, "takeover", "x", domain="a\nb")
    with pytest.raises(PointError, match="time 0"):
        record(config, "takeover", "x", time_ns=0)
    assert spooled(config) == []


def test_a_spool_that_cannot_be_used_is_said_and_left_alone(config: Path) -> None:
    path = load(config, AgentSettings).spool.path
    path.parent.mkdir()
    sqlite3.connect(path).executescript("CREATE TABLE other (x)")
    with pytest.raises(StoreError, match="another program's database"):
        record(config, "takeover", "x")
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match="damaged"):
        record(config, "takeover", "x")
    assert path.read_bytes() == b"no database" * 1_000
