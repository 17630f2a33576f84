from pathlib import Path

import pytest

from lab.acceleration import KVM, TCG
from lab.image.build import Images
from lab.landscape import HOSTS, MACHINES, Instance
from lab.machine import command

LAB = Instance("x", state=Path("/s"), run=Path("/r"), cache=Path("/c"))
IMAGES = Images(Path("/c/key"))


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


@pytest.mark.parametrize("name", ["a", "b"])
def test_xen_gets_two_modules_each_with_its_words(name: str) -> None:
    words = command(LAB, HOSTS[name], IMAGES, TCG)
    kernel, ramdisk = option(words, "-initrd").split(",")  # multiboot: a comma ends a module
    assert kernel.startswith("/c/key/boot/vmlinux root=/dev/vda ")
    assert f"systemd.hostname={name}" in kernel.split()
    assert ramdisk == "/c/key/boot/initrd.img"
    assert "dom0_max_vcpus=1 dom0_vcpus_pin" in option(words, "-append")


@pytest.mark.parametrize("accelerator", [TCG, KVM])
def test_a_guest_finds_the_same_cpu_on_both_hosts(accelerator: str) -> None:
    one, other = (option(command(LAB, HOSTS[name], IMAGES, accelerator), "-cpu") for name in "ab")
    assert one == other


def test_starts_paused_from_a_snapshot_only() -> None:
    for host in MACHINES:
        assert command(LAB, host, IMAGES, TCG, restore="p")[-3:] == ["-loadvm", "p", "-S"]
        assert "-S" not in command(LAB, host, IMAGES, TCG)


def test_a_guests_flush_reaches_the_disk_before_a_power_cut() -> None:
    drive = option(command(LAB, HOSTS["f"], IMAGES, TCG), "-drive")
    assert "file=/s/f.qcow2" in drive.split(",")
    assert "cache=writeback" in drive.split(",")
