import threading
from collections.abc import Sequence

import pytest

from agent.collector import Periodic
from agent.host import guest_collector, host_collector, sampler
from agent.machine import Machine, MachineSample
from telemetry.point import Point

SAMPLE = MachineSample(0.5, 0.25, 1000.0, 4096.0, 8.0, 0.75)


class FakeMachine(Machine):
    def sample(self) -> MachineSample:
        return SAMPLE


def test_a_host_tells_bytes_of_its_disks() -> None:
    (point,) = sampler("host", {"host": "a"}, FakeMachine(), wall_ns=lambda: 7)()
    expected = {"cpu_ratio": 0.5, "memory_ratio": 0.25, "network_bytes_per_s": 1000.0, "disk_bytes_per_s": 4096.0}
    assert point == Point("host", {"host": "a"}, expected | {"filesystem_ratio": 0.75}, 7)


def test_a_guest_tells_operations_of_its_disks() -> None:
    (point,) = sampler("domain", {"host": "a", "domain": "local"}, FakeMachine(), wall_ns=lambda: 7)()
    expected = {"cpu_ratio": 0.5, "memory_ratio": 0.25, "network_bytes_per_s": 1000.0, "disk_ops_per_s": 8.0}
    assert point == Point("domain", {"host": "a", "domain": "local"}, expected, 7)


@pytest.mark.parametrize(
    ("collector", "measurement", "tags"),
    [
        (host_collector("a", period_s=0.02), "host", {"host": "a"}),
        (guest_collector("a", "local", period_s=0.02, interfaces=["lo"]), "domain", {"host": "a", "domain": "local"}),
    ],
    ids=["host", "guest"],
)
def test_collects_from_this_machine(collector: Periodic, measurement: str, tags: dict[str, str]) -> None:
    stop = threading.Event()
    seen: list[Point] = []

    def emit(points: Sequence[Point]) -> None:
        seen.extend(points)
        if len(seen) == 3:
            stop.set()

    collector.run(emit, stop)
    assert {(point.measurement, *point.tags.items()) for point in seen} == {(measurement, *tags.items())}
    assert "network_bytes_per_s" not in seen[0].fields
    assert "network_bytes_per_s" in seen[2].fields
