"""The price of checkpoint intervals: in, what checkpoints cost and a failure loses; out, the cheapest, if there is one.

J(tau) = R(tau) + lambda W (tau/2 + x) is the mean response time plus the price of the work that a failover loses. The
guest stands still for c in every tau + c, so a demand rho becomes rho (tau + c)/tau, and an M/M/1 queue answers in
R = s / (1 - rho (tau + c)/tau) [+ tau/2 + c + x when output is held until the commit]. dJ/dtau = 0 gives

    tau* = (rho c + sqrt(2 s rho c / (lambda W + held))) / (1 - rho),      held = 1 if output is held, else 0.

Where rho c << tau and a lost second weighs as much as a second of pause (W = s rho / (1 - rho)^2, the slope of R), this
is the first-order optimum sqrt(2 c / lambda) of Young (1974) and Daly (2006).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cost:
    """What protecting a domain costs, as measured; NaN is unknown.

    `pause_s` (c) and `send_s` (x) of one checkpoint, the guest's CPU `demand_ratio` (rho) and its `service_s` (s): its
    response time without load or checkpoints. `response_s` by interval_ms, where it has been measured, stands in for
    the queue: part of the cost lies outside the pause (each page's first write after a checkpoint), unseen by formula.
    """

    pause_s: float
    send_s: float
    demand_ratio: float
    service_s: float
    response_s: Mapping[float, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a failure would lose, and the intervals to choose from.

    `loss_weight_s` (W) is the response time that one would give to lose no work at all if failures never ended;
    `base_failures_per_s` happen without any warning; `horizon_s` is how far ahead p_failed_within looks.
    """

    intervals_ms: tuple[float, ...]
    loss_weight_s: float
    base_failures_per_s: float
    horizon_s: float
    output_held: bool = False


def failures_per_s(p_failed_within: float, stakes: Stakes) -> float:
    """The rate (lambda) of a Poisson process with this probability of an event within the horizon; NaN if p is none."""
    if not 0 <= p_failed_within < 1:
        return math.nan
    return stakes.base_failures_per_s - math.log1p(-p_failed_within) / stakes.horizon_s


def response_s(interval_s: float, cost: Cost) -> float:
    """R without held output: mean response time of the guest at this interval, infinite where it cannot keep up."""
    slack = 1 - cost.demand_ratio * (interval_s + cost.pause_s) / interval_s
    return cost.service_s / slack if slack > 0 else math.inf


def price_s(interval_s: float, response: float, rate_per_s: float, cost: Cost, stakes: Stakes) -> float:
    """J: the `response` time at this interval and the work at stake, in seconds of response time."""
    held = interval_s / 2 + cost.pause_s + cost.send_s if stakes.output_held else 0.0
    return response + held + rate_per_s * stakes.loss_weight_s * (interval_s / 2 + cost.send_s)


def cheapest_interval_ms(cost: Cost, stakes: Stakes, p_failed_within: float, longest_ms: float) -> float | None:
    """The cheapest of the stakes' intervals (of the measured ones, if any) up to `longest_ms`, the shorter of equals.

    None when a figure is unknown or out of range, or when the guest could not keep up at any of them.
    """
    rate = failures_per_s(p_failed_within, stakes)
    if not (_known(rate, cost.pause_s, cost.send_s, cost.demand_ratio, cost.service_s)):
        return None
    if not _known(*cost.response_s.keys(), *cost.response_s.values()):
        return None
    responses = cost.response_s or {ms: response_s(ms / 1000, cost) for ms in stakes.intervals_ms}
    prices = [(price_s(ms / 1000, seen, rate, cost, stakes), ms) for ms, seen in responses.items() if ms <= longest_ms]
    price, cheapest = min(prices, default=(math.inf, 0.0))
    return cheapest if price < math.inf else None


def _known(*figures: float) -> bool:
    return all(0 <= figure < math.inf for figure in figures)
