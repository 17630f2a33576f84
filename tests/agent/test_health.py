import time
from pathlib import Path

import pytest

from agent.health import Health, health_collector
from agent.spool import Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S

NOW_NS = 1_700_000_000 * NS_PER_S


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.db", max_bytes=10**6, max_age_s=1e9, wall_ns=lambda: NOW_NS)


def test_tells_of_process_and_spool(spool: Spool) -> None:
    points = [Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, n) for n in range(1, 6)]
    spool.add(points)
    rows = spool.oldest(2)
    spool.sent(rows[:1])
    spool.quarantine([(rows[1], "odd")])
    health = Health("a", spool, lambda: 7, wall_ns=lambda: NOW_NS + 3 * NS_PER_S)
    (first,) = health.sample()
    assert first.tags == {"host": "a"}
    assert "cpu_ratio" not in first.fields
    told = {name: first.fields[name] for name in ("spool_points", "spool_oldest_s", "sent", "dropped", "quarantined")}
    assert told == {"spool_points": 3, "spool_oldest_s": 3.0, "sent": 7, "dropped": 0, "quarantined": 1}
    assert 10**6 < first.fields["rss_bytes"] < 10**11  # type: ignore[operator] # a number


def test_cpu_is_that_of_this_process(spool: Spool) -> None:
    health = Health("a", spool, lambda: 0)
    health.sample()
    began_s, busy_before_s = time.monotonic(), time.process_time()
    while time.process_time() < busy_before_s + 0.2:
        pass
    elapsed_s = time.monotonic() - began_s
    (point,) = health.sample()
    assert point.fields["cpu_ratio"] == pytest.approx(0.2 / elapsed_s, rel=0.3)


def test_an_empty_spool_has_no_age(spool: Spool) -> None:
    (point,) = health_collector("a", spool, lambda: 0, period_s=1.0)._sample()
    assert point.fields["spool_oldest_s"] == 0.0
