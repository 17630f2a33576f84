"""How long guards and claims wait for lease server and fence: in, settings; out, nanoseconds."""

import random
from typing import Final

from failover.guard_state import Limits
from failover.lease_settings import LeaseSettings
from telemetry.units import NS_PER_S

PROBED_NS: Final = 2 * NS_PER_S
"""How old the fence's last sign of life may be where a lease is claimed (C1)."""
FENCE_LIMIT_NS: Final = 10 * NS_PER_S
"""A lease without its disk is not kept from others for longer (C4)."""
_TRIES_A_RENEWAL: Final = 5


def is_fresh(heard_ns: int | None, now_ns: int) -> bool:
    """Whether an answer was heard just now; a clock that has gone back makes none of it."""
    return heard_ns is not None and 0 <= now_ns - heard_ns <= PROBED_NS


def soon_ns(now_ns: int, limits: Limits) -> int:
    """When to ask again after silence, or a no."""
    return now_ns + limits.renew_ns // _TRIES_A_RENEWAL


def limits(host: str, at: LeaseSettings) -> Limits:
    """As the settings have them."""
    ttl_ns = int(at.ttl_s * NS_PER_S)
    away_ns = int(ttl_ns * (2 + random.random()))
    return Limits(host, at.pause_ns, ttl_ns - at.pause_ns, int(at.renew_s * NS_PER_S), away_ns)
