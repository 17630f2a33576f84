"""Reads the log of the pacer's prototype as the reports that a pacer would have sent."""

import re
from collections.abc import Iterator
from pathlib import Path

from agent.reports import Applied, Checkpoint, Report

LOG = Path(__file__).parent.parent / "data" / "pacer-prototype-through-intervals.txt"
_COMMIT = re.compile(r"(\S+) commit n=\d+ total=(\S+) pause<=(\S+) send_ack=(\S+) interval=(\d+)")
_CHANGE = re.compile(r"(\S+) interval (\d+) -> (\d+)")


def reports() -> Iterator[tuple[float, Report]]:
    """Time in seconds, and the report; the first commit measures nothing but its sending."""
    before_s, sequence = None, 0
    for line in LOG.read_text().splitlines():
        if change := _CHANGE.fullmatch(line):
            sequence += 1
            yield float(change[1]), Applied(sequence, float(change[3]), 0.1)
        elif commit := _COMMIT.fullmatch(line):
            at_s, _, pause_ms, send_ms, interval_ms = map(float, commit.groups())
            period_ms = None if before_s is None else (at_s - before_s) * 1000
            yield at_s, Checkpoint(sequence, interval_ms, period_ms, pause_ms if period_ms else None, send_ms)
            before_s = at_s
