"""Samples of a host's domains to points: in, `DomainSample` and what is known from elsewhere; out, `domain` points."""

import math
from collections.abc import Callable, Collection

from agent.rates import Rates
from agent.xentop import DomainSample, XentopFormatError
from telemetry.point import Point

Lookup = Callable[[str], float | None]
"""What is known of a domain by its name; None where nothing is."""

DOMAIN_0 = "Domain-0"
INCOMING = "--incoming"
"""Ends the name that `xl migrate-receive` gives to the copy on the backup host until it takes over."""

_BYTES_PER_KIB = 1024  # xentop prints bytes / 1024
_LEAST_RAN_SHARE = 0.01  # below it, what is left of a second is shorter than the errors of its measurement
_MOST_CPU_RATIO = 1.25  # more than its vCPUs can use: xentop measures by the wall clock, which was stepped


def nothing_known(domain: str) -> None:
    """The lookup that knows nothing."""


class DomainPoints:
    """Makes points of the protected domains: all but Domain-0 and incoming copies, or those of `domains` only.

    `ran_share` tells which share of the time a replicated guest was let run, `memory_ratio` what a guest says of its
    memory from inside. Rates of steps not longer than `shortest_s` are unknown.
    """

    def __init__(
        self, host: str, domains: Collection[str] | None, ran_share: Lookup, memory_ratio: Lookup, shortest_s: float
    ) -> None:
        self._host = host
        self._domains = domains
        self._ran_share = ran_share
        self._memory_ratio = memory_ratio
        self._shortest_s = shortest_s
        self._before: dict[str, Rates] = {}
        self._rates: dict[str, Rates] = {}
        self._now_s = math.nan
        self._time_ns = 0

    def begin(self, now_s: float, time_ns: int) -> None:
        """Start an iteration; a domain that was not in the last one is new again, to xentop as to us."""
        self._before, self._rates = self._rates, {}
        self._now_s, self._time_ns = now_s, time_ns

    def point(self, sample: DomainSample) -> Point | None:
        """The point of a row of this iteration; None if the domain is not watched."""
        if not self._watched(sample.name):
            return None
        if sample.name in self._rates:
            raise XentopFormatError(f"xentop: two domains are called {sample.name!r}; were names cut for want of -f?")
        rates = self._rates[sample.name] = self._before.get(sample.name) or Rates(shortest_s=self._shortest_s)
        per_s = rates.step(self._now_s, _counters(sample))
        network_kib_per_s = per_s.get("network_kib")
        fields = {
            "cpu_ratio": self._cpu_ratio(sample) if "cpu_s" in per_s else None,
            "memory_ratio": self._memory_ratio(sample.name),
            "network_bytes_per_s": None if network_kib_per_s is None else network_kib_per_s * _BYTES_PER_KIB,
            "disk_ops_per_s": per_s.get("disk_requests"),
            "state": sample.state.replace("-", "") or "-",
        }
        return Point.of("domain", {"host": self._host, "domain": sample.name}, fields, self._time_ns)

    def has(self, domain: str) -> bool:
        """Whether the watched `domain` was in this iteration or the last."""
        return domain in self._rates or domain in self._before

    def _watched(self, name: str) -> bool:
        if name == DOMAIN_0 or name.endswith(INCOMING):
            return False
        return self._domains is None or name in self._domains

    def _cpu_ratio(self, sample: DomainSample) -> float | None:
        return cpu_ratio(sample.cpu_percent, sample.vcpus, self._ran_share(sample.name))


def cpu_ratio(cpu_percent: float, vcpus: int, ran_share: float | None) -> float | None:
    """CPU used of what the vCPUs could have used while the guest was let run, 0 to 1; None where that is unknown.

    `ran_share` None is a guest that nothing stops. Its error and that of `cpu_percent` add up to a little over 1, which
    counts as 1. CPU(sec) would know nothing of wall-clock steps, but has a resolution of 1 s: as coarse as the period.
    """
    share = 1.0 if ran_share is None else min(ran_share, 1.0)
    if vcpus < 1 or not share >= _LEAST_RAN_SHARE:
        return None
    used = cpu_percent / 100 / vcpus
    return min(used / share, 1.0) if 0.0 <= used <= _MOST_CPU_RATIO else None


def _counters(sample: DomainSample) -> dict[str, float]:
    counters = {"cpu_s": sample.cpu_s, "network_kib": sample.network_kib, "disk_requests": sample.disk_requests}
    return {name: value for name, value in counters.items() if value is not None}
