"""This machine's own metrics: in, the machine; out, `host` points, or `domain` points where it is a guest."""

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from agent.collector import Periodic
from agent.machine import Machine
from telemetry.point import Point
from telemetry.schema import SCHEMA


def host_collector(host: str, *, period_s: float = 1.0, interfaces: Collection[str] | None = None) -> Periodic:
    """The collector of the machine an agent runs on; see `Machine` for `interfaces`."""
    return Periodic("host", sampler("host", {"host": host}, Machine(interfaces)), period_s)


def guest_collector(
    host: str, domain: str, *, period_s: float = 1.0, interfaces: Collection[str] | None = None
) -> Periodic:
    """The collector of a guest from inside, or of a machine that stands for one; see `Machine` for `interfaces`."""
    return Periodic("guest", sampler("domain", {"host": host, "domain": domain}, Machine(interfaces)), period_s)


def sampler(
    measurement: str, tags: Mapping[str, str], machine: Machine, *, wall_ns: Callable[[], int] = time.time_ns
) -> Callable[[], Sequence[Point]]:
    """What samples `machine` as points with those of its metrics that the measurement has."""

    def sample() -> Sequence[Point]:
        metrics = dataclasses.asdict(machine.sample())
        fields = {name: value for name, value in metrics.items() if name in SCHEMA[measurement].fields}
        point = Point.of(measurement, tags, fields, wall_ns())
        return [] if point is None else [point]

    return sample
