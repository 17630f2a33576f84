"""A point as the spool keeps it: in, a `Point`; out, one line of JSON, and the same point again."""

import json
from dataclasses import dataclass

from telemetry.point import Point


class RowError(ValueError):
    """The row holds no point that this version knows; the text says why."""


@dataclass(frozen=True)
class Row:
    """A row of the spool: its `number` grows with every row that is added."""

    number: int
    body: str


def encode(point: Point) -> str:
    """The point as JSON, in ASCII, so that its length is its size in bytes."""
    return json.dumps(
        {
            "measurement": point.measurement,
            "tags": dict(point.tags),
            "fields": dict(point.fields),
            "time_ns": point.time_ns,
        }
    )


def decode(body: str) -> Point:
    """The point in `body`; raises RowError, as when another version with another schema wrote it."""
    try:
        return Point(**json.loads(body))
    except (ValueError, TypeError, AttributeError) as error:
        raise RowError(f"not a point that this version knows: {error}") from error
