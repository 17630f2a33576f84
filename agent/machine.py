"""The machine this runs on: in, its kernel's counters through psutil; out, a `MachineSample`, nothing blocked."""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.rates import Rates

_LOOPBACK = "lo"


@dataclass(frozen=True)
class MachineSample:
    """Use since the sample before; None where unknown (the first sample, a counter that started again, no disk)."""

    cpu_ratio: float | None
    memory_ratio: float | None
    network_bytes_per_s: float | None
    disk_bytes_per_s: float | None
    disk_ops_per_s: float | None
    filesystem_ratio: float | None


class Machine:
    """Measures this machine.

    `interfaces` are the network interfaces that count, all but loopback where None. Of the disks those count that stand
    for a device, real or virtual: partitions, loop, device-mapper and RAID devices would count the same bytes twice,
    RAM disks are memory.
    """

    def __init__(
        self,
        interfaces: Collection[str] | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        sys_block: Path = Path("/sys/block"),
        mounts: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        self._interfaces = interfaces
        self._monotonic_s = monotonic_s
        self._sys_block = sys_block
        self._mounts = mounts or _mounts
        self._cpu, self._network, self._disk_bytes, self._disk_ops = Rates(), Rates(), Rates(), Rates()

    def sample(self) -> MachineSample:
        """What was used since the call before."""
        now_s = self._monotonic_s()
        disk_bytes, disk_ops = self._disk_counters()
        return MachineSample(
            cpu_ratio=_used_of_usable(self._cpu.step(now_s, _cpu_seconds())),
            memory_ratio=_memory_ratio(),
            network_bytes_per_s=_total(self._network.step(now_s, self._network_bytes())),
            disk_bytes_per_s=_total(self._disk_bytes.step(now_s, disk_bytes)),
            disk_ops_per_s=_total(self._disk_ops.step(now_s, disk_ops)),
            filesystem_ratio=_fullest_ratio(self._mounts()),
        )

    def _network_bytes(self) -> dict[str, float]:
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        return {name: nic.bytes_recv + nic.bytes_sent for name, nic in counters.items() if self._counts(name)}

    def _counts(self, interface: str) -> bool:
        return interface != _LOOPBACK if self._interfaces is None else interface in self._interfaces

    def _is_device(self, disk: str) -> bool:
        return os.access(f"{self._sys_block}/{disk}/device", os.F_OK)

    def _disk_counters(self) -> tuple[dict[str, float], dict[str, float]]:
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        disks = {name: disk for name, disk in counters.items() if self._is_device(name)}
        return (
            {name: disk.read_bytes + disk.write_bytes for name, disk in disks.items()},
            {name: disk.read_count + disk.write_count for name, disk in disks.items()},
        )


def _cpu_seconds() -> dict[str, float]:
    """Time used, and time that could have been used: stolen time was another guest's (guest time is in user time)."""
    times = psutil.cpu_times()
    used_s = times.user + times.nice + times.system + times.irq + times.softirq
    return {"used": used_s, "usable": used_s + times.idle + times.iowait}


def _used_of_usable(per_s: Mapping[str, float]) -> float | None:
    return min(per_s["used"] / per_s["usable"], 1.0) if per_s.get("usable") else None


def _memory_ratio() -> float:
    memory = psutil.virtual_memory()
    return 1.0 - memory.available / memory.total


def _mounts() -> set[str]:
    """The root, and what is mounted from a disk to be written: a server's file systems could keep this waiting."""
    mounts = {"/"}
    with contextlib.suppress(OSError):
        mounts |= {entry.mountpoint for entry in psutil.disk_partitions() if "rw" in entry.opts.split(",")}
    return mounts


def _fullest_ratio(mounts: Iterable[str]) -> float | None:
    ratios = []
    for mount in mounts:
        with contextlib.suppress(OSError):  # unmounted meanwhile
            ratios.append(psutil.disk_usage(mount).percent / 100)
    return max(ratios, default=None)


def _total(rates: Mapping[str, float]) -> float | None:
    return sum(rates.values()) if rates else None
