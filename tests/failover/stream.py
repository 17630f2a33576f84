"""A Remus stream as Xen 4.17 writes one, in miniature: frames as its specifications draw them."""

import json
import struct

FULL_COPY_PAGES = 300


def header(name: str) -> bytes:
    config = json.dumps({"c_info": {"name": name}}).encode()
    xl = b"Xen saved domain, xl format\n \0 \r" + struct.pack("<4I", 0x01020304, 3, 0, len(config)) + config
    libxl = struct.pack(">8sII", b"LibxlFmt", 2, 0) + record(1)
    image = struct.pack(">Q4sIHHI", 2**64 - 1, b"XENF", 3, 0, 0, 0) + struct.pack("<IHHII", 3, 12, 0, 4, 17)
    return xl + libxl + image


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def pages(count: int) -> bytes:
    return record(1, struct.pack("<II", count, 0) + bytes(8 * count) + b"\xaa" * (4096 * count))


def checkpoint(count: int = 3) -> bytes:
    """Dirty pages, a context, the mark of libxc, and that of libxl which completes it."""
    return pages(count) + record(9, b"context!!") + record(0xE) + record(4)


def full_copy(name: str) -> bytes:
    return header(name) + checkpoint(FULL_COPY_PAGES)
