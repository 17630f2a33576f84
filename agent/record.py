"""What another program saw: in, an event or points; out, rows in the spool, which the agent sends."""

import time
from collections.abc import Iterable
from pathlib import Path

from agent.rows import encode
from agent.settings import AgentSettings
from agent.spool_file import open_database
from telemetry.point import Point
from telemetry.schema import NOBODY
from telemetry.settings import load


def record(config: Path, kind: str, text: str, *, domain: str = NOBODY, time_ns: int | None = None) -> None:
    """Keep an event of this host, synced; whether the agent of `config` runs does not matter.

    Waits up to 10 s where the spool is busy: act first, record then. `time_ns` is when it happened (UTC), now if None.
    Raises ConfigError, PointError (a tag that is not printable), StoreError (the spool cannot be written).
    """
    settings = load(config, AgentSettings)
    tags = {"kind": kind, "domain": domain, "host": settings.host}
    now_ns = time.time_ns()
    append(settings.spool.path, [Point("event", tags, {"text": text}, now_ns if time_ns is None else time_ns)], now_ns)


def append(path: Path, points: Iterable[Point], now_ns: int) -> None:
    """Add rows to the spool at `path` beside the process that owns it, which keeps the bounds and mends damage."""
    database = open_database(path)
    try:
        with database.transaction("IMMEDIATE") as file:
            rows = ((encode(point), now_ns) for point in points)
            file.executemany("INSERT INTO point (body, added_ns) VALUES (?, ?)", rows)
    finally:
        database.close()
