"""Reports of a pacer: in, a datagram; out, what it says.

A report is one JSON object in UTF-8, at most 1024 bytes, sent to /run/hefery/<domain>/report.sock (AF_UNIX, datagram,
never blocking, dropped when nobody listens); the directory tells whose it is. Times are milliseconds, 0 to 3600000,
whole or not; unknown keys are passed over. There are three kinds, and `version` and `kind` in all of them:

    {"version": 1, "kind": "checkpoint", "sequence": 17, "interval_ms": 200,
     "period_ms": 364.1, "pause_ms": 160.2, "send_ms": 3.6}
    {"version": 1, "kind": "applied", "sequence": 18, "interval_ms": 2000, "latency_ms": 0.4}
    {"version": 1, "kind": "ended", "reason": "backup failed"}

checkpoint: sent at every commit. sequence: of the order in force, 0 without one; interval_ms: in force; period_ms: from
the commit before to this one; pause_ms: the guest stood still, at most; send_ms: from its resumption to the commit. The
last three are left out where there is nothing to measure from, as at the first commit.
applied: sent when an order, or the end of one (sequence 0), changed the interval in force; latency_ms: since noticed.
ended: sent once, when replication ends; reason: in words.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = 1
MAX_BYTES = 1024
_MAX_MS = 3_600_000
_SHOWN = 200  # characters of a malformed report that its error shows


class ReportError(ValueError):
    """The datagram is no report; the text says why and shows it."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint was committed."""

    sequence: int
    interval_ms: float
    period_ms: float | None
    pause_ms: float | None
    send_ms: float | None


@dataclass(frozen=True)
class Applied:
    """The interval in force changed."""

    sequence: int
    interval_ms: float
    latency_ms: float


@dataclass(frozen=True)
class Ended:
    """Replication ended."""

    reason: str


Report = Checkpoint | Applied | Ended


def parse(datagram: bytes) -> Report:
    """What `datagram` says; raises `ReportError` where it is malformed, of another version or of an unknown kind."""
    try:
        return _report(datagram)
    # RecursionError: brackets nested too deep
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        shown = datagram[:_SHOWN].decode(errors="backslashreplace")
        raise ReportError(f"not a report ({type(error).__name__}: {error}): {shown!r}") from error


def _report(datagram: bytes) -> Report:
    if len(datagram) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    said = json.loads(datagram.decode())
    if said["version"] != VERSION:
        raise ValueError(f"version {said['version']!r}, known is {VERSION}")
    match said["kind"]:
        case "checkpoint":
            return Checkpoint(
                _count(said["sequence"]),
                _ms(said["interval_ms"]),
                _ms_if_there(said, "period_ms"),
                _ms_if_there(said, "pause_ms"),
                _ms_if_there(said, "send_ms"),
            )
        case "applied":
            return Applied(_count(said["sequence"]), _ms(said["interval_ms"]), _ms(said["latency_ms"]))
        case "ended":
            return Ended(_text(said["reason"]))
        case kind:
            raise ValueError(f"unknown kind {kind!r}")


def _count(value: object) -> int:
    if type(value) is int and value >= 0:  # so that True is none
        return value
    raise ValueError(f"{value!r} is not a whole number from 0 on")


def _ms(value: object) -> float:
    if (type(value) is float or type(value) is int) and 0 <= value <= _MAX_MS:
        return float(value)
    raise ValueError(f"{value!r} is not a time of 0 to {_MAX_MS} ms")


def _ms_if_there(said: Mapping[str, object], name: str) -> float | None:
    return _ms(said[name]) if name in said else None


def _text(value: object) -> str:
    if isinstance(value, str):
        value.encode()  # JSON may hold halves of surrogate pairs, which are no Unicode text
        return value
    raise ValueError(f"{value!r} is not text")
