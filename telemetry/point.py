"""One timestamped row of a measurement: in, names and values; out, a `Point` that fits the schema."""

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from telemetry.schema import SCHEMA, Kind

Value = float | int | str | bool

END_OF_TIME_NS = 2**63 - 2
"""All points are before it: the latest time that InfluxDB knows, in the year 2262."""
MAX_TEXT_LENGTH = 65_536

_WANTED: Mapping[Kind, str] = {
    "float": "a finite float",
    "int": "an int of 64 bits",
    "str": f"Unicode text of at most {MAX_TEXT_LENGTH:,} characters",
    "bool": "True or False",
}


class PointError(ValueError):
    """The point does not fit the schema."""


@dataclass(frozen=True)
class Point:
    """A row: `tags` say whose it is, `fields` what was seen, `time_ns` when (UTC, nanoseconds since 1970)."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    time_ns: int
    key: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Freeze tags and fields, and refuse what the schema does not know."""
        object.__setattr__(self, "tags", MappingProxyType(dict(self.tags)))
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        object.__setattr__(self, "key", tuple(sorted(self.tags.items())))
        _check(self)

    @classmethod
    def of(
        cls, measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value | None], time_ns: int
    ) -> Self | None:
        """The point of those fields that are known; None when none is.

        Unknown (None) and not finite values are left out here, by name, because a line-protocol writer would drop them
        without a word.
        """
        known = {name: value for name, value in fields.items() if value is not None and _is_finite(value)}
        return cls(measurement, tags, known, time_ns) if known else None


def _is_finite(value: Value) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _check(point: Point) -> None:
    known = SCHEMA.get(point.measurement)
    if known is None:
        raise PointError(f"measurement {point.measurement!r} is not in the schema; known are {', '.join(SCHEMA)}")
    if set(point.tags) != set(known.tags):
        raise PointError(
            f"{known.name} is tagged by {', '.join(known.tags)}, not by {', '.join(point.tags) or 'nothing'}"
        )
    for name, text in point.tags.items():
        if not text or not text.isprintable() or "\\" in text:  # line protocol cannot tell every backslash in a tag
            raise PointError(f"{known.name}: tag {name} is {text!r}; it must be printable text without a backslash")
    if not point.fields:
        raise PointError(f"{known.name}: a point needs at least one field")
    for name, value in point.fields.items():
        if name not in known.fields:
            raise PointError(f"{known.name} has no field {name!r}; known are {', '.join(known.fields)}")
        if not _fits(value, known.fields[name].kind):
            raise PointError(
                f"{known.name}: field {name} is {reprlib.repr(value)}; it must be {_WANTED[known.fields[name].kind]}"
            )
    if not 0 < point.time_ns < END_OF_TIME_NS:
        raise PointError(f"{known.name}: time {point.time_ns} is not a time from 1970 to 2262 in nanoseconds")


def _fits(value: Value, kind: Kind) -> bool:
    match kind:
        case "float":
            return type(value) is float and math.isfinite(value)
        case "int":
            return type(value) is int and -(2**63) <= value < 2**63
        case "str":
            return type(value) is str and len(value) <= MAX_TEXT_LENGTH and _is_unicode(value)
        case "bool":
            return type(value) is bool


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
