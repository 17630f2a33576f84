import subprocess
import sys
from pathlib import Path

from agent.spool import Spool
from lab.landscape import ROOT
from lab.trials import spools
from telemetry.point import Point

POINTS = [Point("host", {"host": "a"}, {"cpu_ratio": 0.1}, n) for n in (1, 2, 3)]


def test_a_spool_is_read_beside_the_agent_that_owns_it(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, max_bytes=10_000, max_age_s=1e9)
    spool.add(POINTS)
    spool.sent(spool.oldest(1))
    program = subprocess.run(
        [sys.executable, "-", str(path)], input=spools.READ, capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert spools.Spool.of(program.stdout) == spools.Spool(tuple(POINTS[1:]), sent=1, dropped=0, quarantined=0)


def test_all_that_was_dropped_counts() -> None:
    printed = '{"sent": 7, "dropped": {"age": 1, "bytes": 2}, "quarantined": 3}\n'
    assert spools.Spool.of(printed) == spools.Spool((), 7, 3, 3)
