"""Kernels: in, the compressed files that Debian ships; out, what QEMU and xl start without unpacking it each time."""

import gzip
import lzma
import struct
import zlib
from pathlib import Path

from lab.errors import LabError

_SETUP_SECTORS = 0x1F1
_PAYLOAD = 0x248
_SECTOR_BYTES = 512


def unpack_linux(image: bytes) -> bytes:
    """The ELF file in a bzImage (the boot protocol's payload_offset and payload_length). Raises LabError."""
    setup_sectors = image[_SETUP_SECTORS] or 4
    offset, length = struct.unpack_from("<II", image, _PAYLOAD)
    start = (setup_sectors + 1) * _SECTOR_BYTES + offset
    payload = image[start : start + length]
    if payload.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(payload)  # 4 bytes of length follow it
    if payload.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(payload)
    raise LabError("the kernel is compressed in a way that lab/image/kernels.py does not know: teach it")


def collect(boot: Path, out: Path) -> None:
    """Put xen, vmlinuz, vmlinux and initrd.img from a root's /boot into the folder `out`."""
    image = _only(boot, "vmlinuz-*").read_bytes()
    (out / "vmlinuz").write_bytes(image)
    (out / "vmlinux").write_bytes(unpack_linux(image))
    (out / "initrd.img").write_bytes(_only(boot, "initrd.img-*").read_bytes())
    (out / "xen").write_bytes(gzip.decompress(_only(boot, "xen-*.gz").read_bytes()))


def _only(folder: Path, pattern: str) -> Path:
    found = [path for path in sorted(folder.glob(pattern)) if not path.is_symlink()]
    if not found:
        raise LabError(f"no {pattern} in {folder}: the package list in lab/image has no kernel")
    return found[-1]
