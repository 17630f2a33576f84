import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from agent.machine import Machine, MachineSample

DATA = Path(__file__).parent.parent / "data"
ELAPSED_S = 2.0


class Kernel:
    """A copy of captured /proc files, which psutil reads in place of this machine's, and the disks of /sys/block."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.sys_block = folder / "proc", folder / "block"
        (self.proc / "net").mkdir(parents=True)
        (self.sys_block / "vda" / "device").mkdir(parents=True)
        for stacked in ("loop0", "zram0", "dm-0"):
            (self.sys_block / stacked).mkdir()
        self.now_s = 10.0

    def show(self, situation: str, edit: Callable[[str], str] = str) -> None:
        for name in ("stat", "meminfo", "net/dev", "diskstats"):
            (self.proc / name).write_text(edit((DATA / f"procfs-6.18-{situation}" / name).read_text()))

    def machine(self, interfaces: list[str] | None = None) -> Machine:
        return Machine(interfaces, monotonic_s=lambda: self.now_s, sys_block=self.sys_block, mounts=tuple)

    def after_load(self, machine: Machine, edit: Callable[[str], str] = str) -> MachineSample:
        self.show("before")
        machine.sample()
        self.now_s += ELAPSED_S
        self.show("after-load", edit)
        return machine.sample()


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel(tmp_path)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(kernel.proc))
    return kernel


def test_the_first_sample_knows_memory_alone(kernel: Kernel) -> None:
    kernel.show("before")
    known = {name: value for name, value in asdict(kernel.machine().sample()).items() if value is not None}
    assert known == {"memory_ratio": pytest.approx(1 - 24093968 / 24683660)}


def test_use_between_two_samples(kernel: Kernel) -> None:
    used, waited = (181913 - 181822) + (33089 - 33080), (751632 - 751191) + (15060 - 15054)
    sectors = (17317618 - 17256338) + (12394256 - 12263184)
    requests = (284015 - 283835) + (33980 - 33852)
    assert asdict(kernel.after_load(kernel.machine())) == {
        "cpu_ratio": pytest.approx(used / (used + waited)),
        "memory_ratio": pytest.approx(1 - 24117792 / 24683660),
        "network_bytes_per_s": 0.0,
        "disk_bytes_per_s": 512 * sectors / ELAPSED_S,
        "disk_ops_per_s": requests / ELAPSED_S,
        "filesystem_ratio": None,
    }


def test_loopback_counts_where_it_is_named(kernel: Kernel) -> None:
    sample = kernel.after_load(kernel.machine(["lo", "eth0"]))
    assert sample.network_bytes_per_s == 2 * (237143569 - 230573781) / ELAPSED_S


def test_stolen_time_is_not_this_machines(kernel: Kernel) -> None:
    plain = kernel.after_load(kernel.machine()).cpu_ratio
    assert kernel.after_load(kernel.machine(), lambda text: text.replace("717 984 0", "717 1584 0")).cpu_ratio == plain


def test_partitions_and_stacked_devices_do_not_count_twice(kernel: Kernel) -> None:
    plain = kernel.after_load(kernel.machine())
    layers = [" 254 1 vda1 ", " 253 0 dm-0 ", " 7 0 loop0 ", " 253 1 zram0 "]

    def with_layers(text: str) -> str:
        vda = next((line for line in text.splitlines() if " vda " in line), None)
        return text if vda is None else text + "".join(f"{name}{vda.split(' vda ')[1]}\n" for name in layers)

    assert kernel.after_load(kernel.machine(), with_layers) == plain


def test_an_interface_that_started_again_is_unknown_for_a_step(kernel: Kernel) -> None:
    sample = kernel.after_load(kernel.machine(), lambda text: text.replace("eth0: 7205456143", "eth0: 1"))
    assert sample.network_bytes_per_s is None
    assert sample.disk_ops_per_s is not None


def test_a_new_interface_counts_from_its_second_sample(kernel: Kernel) -> None:
    machine = kernel.machine()
    new = "eth9: 5000000000" + " 0" * 15 + "\n"

    def with_new(text: str) -> str:
        return text + new if "eth0:" in text else text

    assert kernel.after_load(machine, with_new).network_bytes_per_s == 0.0
    kernel.now_s += 1.0
    kernel.show("after-load", lambda text: with_new(text).replace("eth9: 5000000000", "eth9: 5000000300"))
    assert machine.sample().network_bytes_per_s == 300.0


def test_no_disk_no_disk_metrics(kernel: Kernel) -> None:
    (kernel.sys_block / "vda" / "device").rmdir()
    sample = kernel.after_load(kernel.machine())
    assert (sample.disk_bytes_per_s, sample.disk_ops_per_s) == (None, None)


def test_the_fullest_file_system_counts(tmp_path: Path) -> None:
    """Against the figures of df's own call; what is not there any more is passed over."""
    found = [os.statvfs(path) for path in ("/", "/dev/shm")]
    fullest = max((s.f_blocks - s.f_bfree) / (s.f_blocks - s.f_bfree + s.f_bavail) for s in found)
    sample = Machine(mounts=lambda: ["/", "/dev/shm", str(tmp_path / "gone")]).sample()
    assert sample.filesystem_ratio == pytest.approx(fullest, abs=0.002)


def test_measures_this_very_machine() -> None:
    machine = Machine()
    machine.sample()
    used = sum(n * n for n in range(2_000_000))
    sample = machine.sample()
    assert used
    assert sample.cpu_ratio is not None
    assert 0.0 < sample.cpu_ratio <= 1.0
    assert 0.0 < (sample.memory_ratio or 0.0) < 1.0
