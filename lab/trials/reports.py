"""What a probe told: in, its lines as they arrived; out, commits and changes, on this machine's clock too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from agent.reports import Applied, Checkpoint, Report, parse
from telemetry.units import NS_PER_MS

_CLOCKS_NS: Final = 50 * NS_PER_MS
"""How far the shifted time of a report may be from this machine's: the way of the quickest line, and drift."""


@dataclass(frozen=True)
class Told:
    """A line of the probe: when it arrived here (wall clock), when it was written there (CLOCK_MONOTONIC), and what.

    `what` is the sequence of an order just written, a pacer's report, or None for anything else.
    """

    arrived_ns: int
    sent_ns: int
    what: int | Report | None

    @classmethod
    def of(cls, arrived_ns: int, line: str) -> Self:
        """Understand a line. Raises ValueError, KeyError or ReportError."""
        said = json.loads(line)
        report = said.get("report")
        return cls(
            arrived_ns, said["ns"], said.get("ordered") if report is None else parse(json.dumps(report).encode())
        )


@dataclass(frozen=True)
class Commit:
    """A checkpoint as it was made, in wall-clock nanoseconds of this machine; None where the report did not tell."""

    stopped_ns: int | None
    resumed_ns: int | None
    committed_ns: int
    interval_ms: float


def read(text: str) -> list[Told]:
    """A log of lines `ARRIVED_NS JSON`."""
    return [Told.of(int(arrived), line) for arrived, _, line in (row.partition(" ") for row in text.splitlines())]


def offset_ns(told: Iterable[Told]) -> int:
    """What to add to a time there to have it here, at most too late by the quickest line's way.

    No line can arrive before it was written, so the smallest difference is the nearest to the truth.
    """
    return min(line.arrived_ns - line.sent_ns for line in told)


def commits(told: Sequence[Told]) -> list[Commit]:
    """The checkpoints, oldest first."""
    shift_ns = offset_ns(told) if told else 0
    return [_commit(line.sent_ns + shift_ns, line.what) for line in told if isinstance(line.what, Checkpoint)]


def phase(told: Sequence[Told], at_ns: int) -> str:
    """What replication was doing at an instant: `first copy`, `interval change`, `checkpoint` or `between` two.

    A checkpoint is under way from one interval after the commit before on; an interval is changing from its order until
    the next commit.
    """
    shift_ns = offset_ns(told) if told else 0
    past = [line for line in told if line.sent_ns + shift_ns <= at_ns]
    made = commits(told)
    last = max((c for c in made if c.committed_ns <= at_ns), key=lambda c: c.committed_ns, default=None)
    if last is None:
        return "first copy"
    changes = [line.sent_ns + shift_ns for line in past if isinstance(line.what, int | Applied)]
    if changes and changes[-1] > last.committed_ns:
        return "interval change"
    return "between" if at_ns < last.committed_ns + last.interval_ms * NS_PER_MS else "checkpoint"


def certain_ns(told: Sequence[Told], unacknowledged: int) -> int:
    """When the guest was as the backup certainly has it: at the stop for the newest checkpoint but so many; 0 if none.

    A little early, so that nothing is expected of the backup that it may not have.
    """
    stops_ns = [commit.stopped_ns for commit in commits(told) if commit.stopped_ns is not None]
    return stops_ns[-1 - unacknowledged] - _CLOCKS_NS if len(stops_ns) > unacknowledged else 0


def _commit(at_ns: int, report: Checkpoint) -> Commit:
    resumed_ns = None if report.send_ms is None else at_ns - int(report.send_ms * NS_PER_MS)
    stopped_ns = (
        None if resumed_ns is None or report.pause_ms is None else resumed_ns - int(report.pause_ms * NS_PER_MS)
    )
    return Commit(stopped_ns, resumed_ns, at_ns, report.interval_ms)
