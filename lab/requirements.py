"""What the lab needs of this machine: in, nothing; out, LabError with the remedy where something is missing."""

import os
import shutil
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.landscape import MACHINES

PROGRAMS: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "mke2fs": "e2fsprogs",
    "ip": "iproute2",
    "nc": "netcat-openbsd",
    "ssh": "openssh-client",
    "openssl": "openssl",
}
_SPARE_MIB: Final = 512
_BUILD_GIB: Final = 8


def check(cache: Path) -> None:
    """Raises LabError for a missing right, program or space on disk."""
    if os.geteuid():
        raise LabError("the lab makes network namespaces and mounts: run it as root (sudo make lab)")
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        raise LabError(f"not installed: {' '.join(missing)}: run `scripts/setup {' '.join(missing)}`")
    free_gib = shutil.disk_usage(_existing(cache)).free >> 30
    if free_gib < _BUILD_GIB:
        raise LabError(f"{free_gib} GiB free at {cache}: {_BUILD_GIB} are needed; HEFERY_CACHE names another place")


def check_memory(hosts_to_start: set[str]) -> None:
    """Raises LabError where the machines to start would not fit into the memory that is available."""
    needed = sum(host.memory_mib for host in MACHINES if host.name in hosts_to_start)
    available = _available_mib()
    if needed and available < needed + _SPARE_MIB:
        raise LabError(
            f"{available} MiB of memory are available and {needed + _SPARE_MIB} needed: end other programs, or another"
            " instance (`HEFERY_LAB=... python -m lab down`)"
        )


def _available_mib() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) >> 10


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
