"""The order from governor to pacer: in, an interval and its deadline; out, a line, and what a pacer makes of it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from telemetry import files
from telemetry.units import NS_PER_S

VERSION = 1
MAX_AHEAD_NS = 60 * NS_PER_S
"""A deadline further ahead than this is not believed."""

_LINE = re.compile(
    r'\{"version": (?P<version>0|[1-9][0-9]{0,17}), "sequence": (?P<sequence>0|[1-9][0-9]{0,17}), '
    r'"interval_ms": (?P<interval_ms>[1-9][0-9]{0,6}), "deadline_monotonic_ns": (?P<deadline>0|[1-9][0-9]{0,17})\}\n',
    re.ASCII,
)
"""One spelling only, so that this reader and the pacer's, in C, cannot disagree about what is well formed."""


class OrderError(ValueError):
    """The text is no order; the message says in which way."""


@dataclass(frozen=True)
class Order:
    """Checkpoint every `interval_ms` until CLOCK_MONOTONIC reaches `deadline_monotonic_ns`."""

    sequence: int
    interval_ms: int
    deadline_monotonic_ns: int

    def encode(self) -> str:
        """The line as it stands in the file; raises OrderError for numbers that the contract has no room for."""
        line = (
            f'{{"version": {VERSION}, "sequence": {self.sequence}, "interval_ms": {self.interval_ms}, '
            f'"deadline_monotonic_ns": {self.deadline_monotonic_ns}}}\n'
        )
        if not _LINE.fullmatch(line):
            raise OrderError(f"{self} does not fit the contract")
        return line

    @classmethod
    def parse(cls, text: str) -> Self:
        """The order in `text`; raises OrderError for anything but the one spelling and the one version."""
        match = _LINE.fullmatch(text)
        if match is None:
            raise OrderError(f"not an order: {text[:200]!r}")
        if match["version"] != str(VERSION):
            raise OrderError(f"order of version {match['version']}, known is {VERSION}")
        return cls(int(match["sequence"]), int(match["interval_ms"]), int(match["deadline"]))

    def stands(self, now_monotonic_ns: int) -> bool:
        """Whether it is to be followed now: its deadline is ahead, but not further than the contract allows."""
        return 0 < self.deadline_monotonic_ns - now_monotonic_ns <= MAX_AHEAD_NS


def effective_interval_ms(text: str | None, now_monotonic_ns: int, protective_ms: int) -> int:
    """The interval that a pacer applies which finds `text` (None: no file) in its order file: the contract itself.

    Whatever is not an order that stands means the protective interval, and nothing is ever shorter than that: so every
    kind of doubt gives the shortest interval there is.
    """
    try:
        order = Order.parse(text) if text is not None else None
    except OrderError:
        return protective_ms
    if order is None or not order.stands(now_monotonic_ns):
        return protective_ms
    return max(order.interval_ms, protective_ms)


def is_domain_name(name: str) -> bool:
    """Whether a domain of this name can have a directory of its own, and points."""
    return name not in {"", ".", ".."} and not {"/", "\\"}.intersection(name) and name.isprintable()


def domain_directory(run_dir: Path, domain: str) -> Path:
    """Where the files of `domain` are; raises OrderError for a name that would lead elsewhere."""
    if not is_domain_name(domain):
        raise OrderError(f"{domain!r} cannot be a domain's name: it must not hold / or \\, nor be . or ..")
    return run_dir / domain


@lru_cache  # a governor asks at every tick, and to put a path together takes as long as to read the file
def order_path(run_dir: Path, domain: str) -> Path:
    """The order file of `domain`."""
    return domain_directory(run_dir, domain) / "order"


def write(path: Path, order: Order) -> None:
    """Replace the order file; raises OSError, and then there is none if that can be helped, as on a full disk.

    It does not wait for the disk: an order means nothing after a power cut, which ends the pacer and the clock too.
    """
    text = order.encode()
    try:
        files.replace(path, text, durable=False)
    except OSError:
        with suppress(OSError):
            path.unlink()  # the one before might be longer than it ought to be now
        raise


def read(path: Path) -> str | None:
    """The text of the order file; None when there is none or it cannot be read (then the pacer has none either)."""
    try:
        return files.read(path)
    except (OSError, UnicodeError):
        return None
