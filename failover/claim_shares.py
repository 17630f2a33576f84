"""What a takeover's time was spent on: in, a claim as it proceeds; out, each part in milliseconds."""

import time
from typing import Final

from failover.claim_state import Claim, Sight
from failover.gate import Evidence
from telemetry.units import NS_PER_MS

PARTS: Final = ("lease", "fence", "record", "stream", "guard")
"""In this order; `lease` is from the primary's last sign of life, whatever it was, until the lease was won."""


class Shares:
    """When each part was done, by CLOCK_MONOTONIC."""

    def __init__(self) -> None:
        self._last_sign_ns = 0
        self._done_ns: dict[str, int] = {}

    def note(self, claim: Claim, sight: Sight, evidence: Evidence) -> None:
        """To be called at each step; what was done in an epoch that is over does not count."""
        is_drained = claim.is_taken and sight.is_drained
        is_done = (claim.epoch > 0, claim.is_fenced, claim.is_taken, is_drained, is_drained and sight.is_guarded)
        if not claim.epoch:
            pulse = evidence.pulse
            self._last_sign_ns = max(evidence.stream_heard_ns, pulse.alive_ns if pulse else 0)
        for part, is_now in zip(PARTS, is_done, strict=True):
            if not is_now:
                self._done_ns.pop(part, None)
            else:
                self._done_ns.setdefault(part, time.monotonic_ns())

    def __str__(self) -> str:
        parts, before_ns = [], self._last_sign_ns
        for part, at_ns in self._done_ns.items():
            parts.append(f"{part} {(at_ns - before_ns) / NS_PER_MS:.0f} ms")
            before_ns = at_ns
        return ", ".join(parts)
