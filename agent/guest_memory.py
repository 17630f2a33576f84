"""What guests say of their memory: in, xenstore; out, ratios by domain name.

A guest says so by writing "TOTAL_KB AVAILABLE_KB UPTIME_S" (whole numbers, the first two from /proc/meminfo) to its own
xenstore node data/hefery/memory every few seconds. The uptime makes every text new: one that does not change is a
writer that has died.
"""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from agent.collector import Emit, Periodic
from agent.xenstore import Xenstore
from telemetry.point import Point

_DOMAINS = "/local/domain"
_SAYING = re.compile(r"(?P<total_kb>\d{1,15}) (?P<available_kb>\d{1,15}) \d{1,15}")


@dataclass(frozen=True)
class _Saying:
    text: str
    said_s: float


class GuestMemory:
    """Reads xenstore every `period_s` and emits no points: others ask `ratio` for what a guest says."""

    def __init__(
        self,
        *,
        period_s: float = 5.0,
        stale_after_s: float = 15.0,
        connect: Callable[[], Xenstore] = Xenstore,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "guest-memory"
        self._period_s = period_s
        self._stale_after_s = stale_after_s
        self._connect = connect
        self._monotonic_s = monotonic_s
        self._sayings: Mapping[str, _Saying] = {}

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Keep reading until `stop` is set; raises `XenstoreFailed` when xenstore cannot be read."""
        with closing(self._connect()) as xenstore:
            refresh = partial(self.refresh, xenstore)
            Periodic(self.name, refresh, self._period_s, monotonic_s=self._monotonic_s).run(emit, stop)

    def ratio(self, domain: str) -> float | None:
        """Memory in use of all the guest has, 0 to 1; None where its word is missing, older or makes no sense."""
        saying = self._sayings.get(domain)
        if saying is None or not self._monotonic_s() - saying.said_s <= self._stale_after_s:
            return None
        return used_ratio(saying.text)

    def refresh(self, xenstore: Xenstore) -> Sequence[Point]:
        """Read xenstore once; never any points."""
        texts, now_s = sayings(xenstore), self._monotonic_s()
        self._sayings = {domain: self._noted(domain, text, now_s) for domain, text in texts.items()}
        return ()

    def _noted(self, domain: str, text: str, now_s: float) -> _Saying:
        known = self._sayings.get(domain)
        if known is None:
            return _Saying(text, -math.inf)  # may be old: the next change tells that its writer lives
        return known if known.text == text else _Saying(text, now_s)


def sayings(xenstore: Xenstore) -> dict[str, str]:
    """What each domain says, by its name; those that say nothing are left out. Raises `XenstoreFailed`."""
    found: dict[str, str] = {}
    for domid in xenstore.names(_DOMAINS):
        text = xenstore.read(f"{_DOMAINS}/{domid}/data/hefery/memory")
        name = None if text is None else xenstore.read(f"{_DOMAINS}/{domid}/name")
        if text is not None and name is not None:
            found[name] = text
    return found


def used_ratio(text: str) -> float | None:
    """The share in use that a guest's `text` tells; None where it makes no sense: a guest may write what it likes."""
    said = _SAYING.fullmatch(text)
    if said is None:
        return None
    total_kb, available_kb = int(said["total_kb"]), int(said["available_kb"])
    return 1.0 - available_kb / total_kb if available_kb <= total_kb > 0 else None
