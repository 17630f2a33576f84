"""Unpacks the kernel in a Debian bzImage, so that Xen starts it seconds sooner: `vmlinux.py BZIMAGE VMLINUX`."""

import lzma
import struct
import sys
import zlib
from pathlib import Path

SETUP_SECTORS, PAYLOAD = 0x1F1, 0x248  # offsets in the header, Documentation/arch/x86/boot.rst


def payload(image: bytes) -> bytes:
    """Return the packed kernel that a bzImage carries (boot protocol >= 2.08)."""
    sectors = image[SETUP_SECTORS] or 4
    offset, length = struct.unpack_from("<II", image, PAYLOAD)
    start = (sectors + 1) * 512 + offset
    return image[start : start + length]


def unpacked(packed: bytes) -> bytes:
    """Return the kernel's ELF file; raise ValueError for a compression that Debian does not use."""
    if packed.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(packed)
    if packed.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(packed)
    raise ValueError(f"the kernel is packed neither by xz nor by gzip: it begins with {packed[:6].hex()}")


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(unpacked(payload(Path(sys.argv[1]).read_bytes())))
