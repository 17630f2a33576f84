"""What a spool tells of itself: in, its file; out, how much waits, and what has become of the rest."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.spool_file import open_database

DROPPED = "dropped_"
"""Begins the names of the ledger's counts of dropped points; the cause ends them."""


@dataclass(frozen=True)
class Quarantined:
    """A point that the store refused, why, and when (UTC)."""

    body: str
    reason: str
    refused_ns: int


@dataclass(frozen=True)
class SpoolState:
    """What a spool holds and what has become of the points; counts are since the file was made, times UTC."""

    points: int
    bytes: int
    oldest_ns: int | None
    sent: int
    last_sent_ns: int | None
    dropped: Mapping[str, int]
    quarantined: int
    newest_quarantined: Quarantined | None
    trouble: str
    failing: Mapping[str, str]
    """Parts of the agent that wait to be begun again, each with what its failure said."""


def read_state(path: Path) -> SpoolState:
    """What is in the spool of another process; raises StoreError."""
    database = open_database(path)
    try:
        with database.transaction() as file:
            return state_of(file)
    finally:
        database.close()


def state_of(file: sqlite3.Connection) -> SpoolState:
    """What is in the spool that `file` is a transaction of."""
    ledger = dict(file.execute("SELECT name, value FROM ledger"))
    oldest = file.execute("SELECT added_ns FROM point ORDER BY number LIMIT 1").fetchone()
    refused = file.execute("SELECT body, reason, refused_ns FROM quarantine ORDER BY number DESC LIMIT 1").fetchone()
    return SpoolState(
        points=ledger["points"],
        bytes=ledger["bytes"],
        oldest_ns=oldest and oldest[0],
        sent=ledger.get("sent", 0),
        last_sent_ns=ledger.get("last_sent_ns"),
        dropped={name.removeprefix(DROPPED): n for name, n in ledger.items() if name.startswith(DROPPED)},
        quarantined=ledger.get("quarantined", 0),
        newest_quarantined=refused and Quarantined(*refused),
        trouble=ledger.get("trouble", ""),
        failing=json.loads(ledger.get("failing", "{}")),
    )
