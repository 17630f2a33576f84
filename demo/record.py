"""All that a demo saw: in, what was sampled and stored; out, one file that picture and page are made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from demo.timeline import Kind, Plan


@dataclass(frozen=True)
class Span:
    """A phase as it came to pass, in UTC nanoseconds."""

    kind: Kind
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Sample:
    """The interval in force, as a pacer reads it from the order file."""

    time_ns: int
    interval_ms: int


@dataclass(frozen=True)
class Alarm:
    """From `time_ns` on, evidence of at least `evidence` protects: what a training found."""

    time_ns: int
    evidence: float


@dataclass(frozen=True)
class Curve:
    """Values of one field at their times."""

    times_ns: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened, in words."""

    time_ns: int
    kind: str
    text: str


@dataclass(frozen=True)
class Record:
    """A demo from its start to its end.

    `curves` are the metrics and forecasts of the domain, by the schema's field names; `files` are the configuration it
    ran with.
    """

    plan: Plan
    spans: tuple[Span, ...]
    samples: tuple[Sample, ...]
    curves: dict[str, Curve]
    events: tuple[Event, ...]
    alarms: tuple[Alarm, ...]
    protective_ms: int
    calm_ms: int
    machine: str
    commit: str
    files: dict[str, str]


_RECORD: Final = TypeAdapter(Record)


def save(record: Record, path: Path) -> None:
    """Write it as JSON."""
    path.write_bytes(_RECORD.dump_json(record))


def load(path: Path) -> Record:
    """Read it again."""
    return _RECORD.validate_json(path.read_bytes())
