"""An operator's hold: in, the longest interval to allow for a while; out, a file that the governor obeys."""

import re
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError

from agent.clock import Now
from agent.order import domain_directory
from telemetry import files
from telemetry.settings import Section
from telemetry.units import NS_PER_S

LONGEST_S = 30 * 86_400
"""A hold that should last longer belongs into the configuration, as max_interval_ms."""

_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,7}[dhms])+", re.ASCII)


class HoldError(ValueError):
    """The hold cannot be placed; the text says why and what to write instead."""


class Hold(Section):
    """No interval longer than `interval_ms` until the end, which is told on both clocks."""

    interval_ms: int = Field(gt=0)
    boot_id: str
    until_monotonic_ns: int
    until_wall_ns: int

    def left_ns(self, now: Now, boot_id: str) -> int:
        """How long it still stands; by the wall clock only after a reboot, when the other has started anew."""
        if boot_id == self.boot_id:
            return self.until_monotonic_ns - now.monotonic_ns
        return self.until_wall_ns - now.wall_ns


def parse_duration_s(text: str) -> int:
    """Seconds in a text such as `2h` or `1h30m`; raises HoldError."""
    if not _DURATION.fullmatch(text):
        raise HoldError(f"{text!r} is not a duration: write a number and d, h, m or s, such as 2h or 1h30m")
    seconds = sum(int(part[:-1]) * _UNITS_S[part[-1]] for part in re.findall(r"[0-9]+[dhms]", text))
    if not 0 < seconds <= LONGEST_S:
        raise HoldError(f"{text!r} is not a time to hold for: it must be more than 0s and at most 30d")
    return seconds


@lru_cache  # as `order_path`
def hold_path(run_dir: Path, domain: str) -> Path:
    """The hold file of `domain`."""
    return domain_directory(run_dir, domain) / "hold"


def place(path: Path, interval_ms: int, duration_s: int, now: Now, boot_id: str) -> Hold:
    """Write a hold that stands `duration_s` from now on, in place of any before; raises OSError."""
    hold = Hold(
        interval_ms=interval_ms,
        boot_id=boot_id,
        until_monotonic_ns=now.monotonic_ns + duration_s * NS_PER_S,
        until_wall_ns=now.wall_ns + duration_s * NS_PER_S,
    )
    files.replace(path, hold.model_dump_json() + "\n", durable=True)
    return hold


def release(path: Path) -> bool:
    """Remove the hold; whether there was one. Raises OSError."""
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def read(path: Path) -> Hold | None:
    """The hold in the file, None when there is no file; raises HoldError when it cannot be understood."""
    try:
        text = files.read(path)
        return None if text is None else Hold.model_validate_json(text)
    except (OSError, UnicodeError, ValidationError) as error:
        raise HoldError(f"{path}: not a hold that can be read: release it with hefery-agent hold --release") from error


def allowed_ms(path: Path, now: Now, boot_id: str, protective_ms: int) -> int | None:
    """The longest interval that the hold in the file allows; None when none stands.

    A file that cannot be understood holds to the protective interval: somebody wanted a hold.
    """
    try:
        hold = read(path)
    except HoldError:
        return protective_ms
    return hold.interval_ms if hold is not None and hold.left_ns(now, boot_id) > 0 else None
