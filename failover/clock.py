"""The clock of leases: in, nothing; out, the time since boot."""

import time


def now_ns() -> int:
    """CLOCK_BOOTTIME, which goes on while the host is suspended, as a lease does."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
