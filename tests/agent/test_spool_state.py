from pathlib import Path

import pytest

from agent.spool import Spool
from agent.spool_state import Quarantined, read_state
from telemetry.point import Point
from telemetry.store import StoreError


def test_reads_what_another_process_has_spooled(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, max_bytes=200, max_age_s=1e9, wall_ns=lambda: 5)
    spool.add([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, n) for n in range(1, 9)])
    first, second = spool.oldest(2)
    spool.sent([first])
    spool.quarantine([(second, "odd")])
    spool.trouble("no route")
    spool.failing({"xen": "xentop is not there"})
    state = read_state(path)
    assert state == spool.state()
    assert (state.points, state.bytes, state.oldest_ns) == (0, 0, None)
    assert (state.sent, state.last_sent_ns, state.dropped) == (1, 5, {"bytes": 6})
    assert (state.quarantined, state.newest_quarantined) == (1, Quarantined(second.body, "odd", 5))
    assert (state.trouble, state.failing) == ("no route", {"xen": "xentop is not there"})


def test_a_damaged_spool_is_left_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match="damaged"):
        read_state(path)
    assert list(tmp_path.iterdir()) == [path]
