"""What guests say of their memory: in, the output of `xenstore-ls -f /local/domain`; out, ratios by domain name.

A guest says so by writing "TOTAL_KB AVAILABLE_KB UPTIME_S" (whole numbers, the first two from /proc/meminfo) to its own
xenstore node data/hefery/memory every few seconds. The uptime makes every text new: one that does not change is a
writer that has died.
"""

import math
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.collector import Emit, Periodic
from telemetry.point import Point

_NODE = re.compile(r'^/local/domain/(?P<domid>\d+)/(?P<key>name|data/hefery/memory) = "(?P<value>.*)"$', re.MULTILINE)
_SAYING = re.compile(r"(?P<total_kb>\d{1,15}) (?P<available_kb>\d{1,15}) \d{1,15}")
_TIMEOUT_S = 10.0


class XenstoreFailed(Exception):
    """xenstore cannot be read; the text says why."""


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
        command: Sequence[str] = ("xenstore-ls", "-f", "/local/domain"),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = "guest-memory"
        self._period_s = period_s
        self._stale_after_s = stale_after_s
        self._command = command
        self._monotonic_s = monotonic_s
        self._sayings: Mapping[str, _Saying] = {}

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Keep reading until `stop` is set; raises `XenstoreFailed` when xenstore cannot be read."""
        Periodic(self.name, self.refresh, self._period_s, monotonic_s=self._monotonic_s).run(emit, stop)

    def ratio(self, domain: str) -> float | None:
        """Memory in use of all the guest has, 0 to 1; None where its word is missing, older or makes no sense."""
        saying = self._sayings.get(domain)
        if saying is None or not self._monotonic_s() - saying.said_s <= self._stale_after_s:
            return None
        return used_ratio(saying.text)

    def refresh(self) -> Sequence[Point]:
        """Read xenstore once; never any points."""
        texts, now_s = sayings(_output_of(self._command)), self._monotonic_s()
        self._sayings = {domain: self._noted(domain, text, now_s) for domain, text in texts.items()}
        return ()

    def _noted(self, domain: str, text: str, now_s: float) -> _Saying:
        known = self._sayings.get(domain)
        if known is None:
            return _Saying(text, -math.inf)  # may be old: the next change tells that its writer lives
        return known if known.text == text else _Saying(text, now_s)


def sayings(listing: str) -> dict[str, str]:
    """What each domain of the `listing` says, by its name."""
    names: dict[str, str] = {}
    texts: dict[str, str] = {}
    for node in _NODE.finditer(listing):
        (names if node["key"] == "name" else texts)[node["domid"]] = node["value"]
    return {names[domid]: text for domid, text in texts.items() if domid in names}


def used_ratio(text: str) -> float | None:
    """The share in use that a guest's `text` tells; None where it makes no sense: a guest may write what it likes."""
    said = _SAYING.fullmatch(text)
    if said is None:
        return None
    total_kb, available_kb = int(said["total_kb"]), int(said["available_kb"])
    return 1.0 - available_kb / total_kb if available_kb <= total_kb > 0 else None


def _output_of(command: Sequence[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="backslashreplace").strip()
        raise XenstoreFailed(f"{command[0]} ended with status {error.returncode}: {words}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise XenstoreFailed(f"{command[0]} cannot be run: {error}") from error
    return result.stdout.decode(errors="backslashreplace")
