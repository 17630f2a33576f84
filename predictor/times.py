"""Instants as people write them: in, `now`, `90m` (ago) or ISO 8601; out, nanoseconds since 1970, and back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from telemetry.point import END_OF_TIME_NS
from telemetry.units import NS_PER_S

_AGO = re.compile(r"(\d+)([smhdw])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(text: str, now_ns: int) -> int:
    """The instant that `text` names; raises ValueError with the ways to write one."""
    if text == "now":
        return now_ns
    ago = _AGO.fullmatch(text)
    instant = now_ns - int(ago[1]) * _SECONDS[ago[2]] * NS_PER_S if ago else _iso_ns(text)
    if not 0 < instant < END_OF_TIME_NS:
        raise ValueError(f"{text!r} does not lie between 1970 and 2262")
    return instant


def _iso_ns(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write now, 90m for that long ago (s, m, h, d, w), or 2025-01-31T13:05:00Z"
        ) from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which zone; append Z for UTC, or an offset such as +02:00")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def text_of(time_ns: int, timespec: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """The instant in ISO 8601, UTC."""
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
