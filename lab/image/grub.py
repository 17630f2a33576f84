"""GRUB: in, a root with Debian's GRUB; out, a disk that a BIOS boots, made without mounting anything."""

import struct
from pathlib import Path
from typing import Final

from lab.commands import run
from lab.errors import LabError

SECTOR_BYTES: Final = 512
PARTITION_SECTOR: Final = 2048
_BOOT_CODE_BYTES: Final = 440  # then the disk's signature and the table of partitions
_LINUX: Final = 0x83
_MODULES_FROM: Final = "usr/lib/grub/i386-pc"
_PREFIX: Final = "(hd0,msdos1)/boot/grub"
# what grub-install embeds: with `normal` among them, it starts before it can load gzio, which unpacks Xen
_MODULES: Final = ("biosdisk", "part_msdos", "ext2")


def add_modules(root: Path) -> None:
    """Put the modules where GRUB looks for them, as the menu of update-grub needs; before an image is made of root."""
    source, target = root / _MODULES_FROM, root / "boot/grub/i386-pc"
    target.mkdir(parents=True, exist_ok=True)
    for path in (*source.glob("*.mod"), *source.glob("*.lst")):
        (target / path.name).write_bytes(path.read_bytes())


def write(root: Path, image: Path) -> None:
    """Write the table of one partition and GRUB in front of it; the partition is as long as the image. Raises LabError.

    boot.img reads sector 1, diskboot.img there the sectors that follow, which is what both are assembled with.
    """
    core = image.with_suffix(".core")
    inside = ["chroot", f"{root}", "grub-mkimage", "-O", "i386-pc", "-p", _PREFIX, "-o", "/core.img", *_MODULES]
    run(*inside)
    (root / "core.img").rename(core)
    sectors = image.stat().st_size // SECTOR_BYTES
    with image.open("r+b") as disk:
        disk.write(head((root / _MODULES_FROM / "boot.img").read_bytes(), core.read_bytes(), sectors))
    core.unlink()


def head(boot: bytes, core: bytes, sectors: int) -> bytes:
    """The sectors before the partition. Raises LabError where GRUB does not fit there."""
    if len(core) > (PARTITION_SECTOR - 1) * SECTOR_BYTES:
        raise LabError(
            f"GRUB's core image has {len(core)} bytes and does not fit before the partition: load fewer modules"
        )
    none = b"\xfe\xff\xff"  # cylinder, head and sector: not used with sectors counted from 0
    entry = struct.pack("<B3sB3sII", 0x80, none, _LINUX, none, PARTITION_SECTOR, sectors - PARTITION_SECTOR)
    table = b"HFRY\0\0" + entry + bytes(3 * len(entry)) + b"\x55\xaa"
    return boot[:_BOOT_CODE_BYTES] + table + core
