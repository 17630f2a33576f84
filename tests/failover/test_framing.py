import struct
from pathlib import Path

import pytest

from failover.framing import Framing, FramingError
from tests.failover import stream

DATA = Path(__file__).parents[1] / "data"
HEAD = (DATA / "remus-stream-4.17-pvh-head.bin").read_bytes()
RECORDS = (DATA / "remus-stream-4.17-pvh-records.txt").read_text().splitlines()
"""Of a real stream until its fourth checkpoint was complete: layer, type, length, how many in a row."""


def real_stream() -> bytes:
    rows = [line.split() for line in RECORDS[1:]]  # the first, LIBXC_CONTEXT, is in the head
    return HEAD + b"".join(stream.record(int(kind, 16), bytes(int(length))) * int(n) for _, kind, length, n in rows)


def fed(data: bytes, chunk: int = 1 << 20) -> Framing:
    framing = Framing()
    for at in range(0, len(data), chunk):
        framing.take(memoryview(data)[at : at + chunk])
    return framing


def test_real_stream() -> None:
    data = real_stream()
    assert len(data) > 100e6
    assert fed(data).complete == 4
    assert fed(data[:-8]).complete == 3  # CHECKPOINT_END is what completes one


@pytest.mark.parametrize("chunk", [1, 7, 8, 4096])
def test_chunks_do_not_matter(chunk: int) -> None:
    data = stream.header("web1") + stream.checkpoint(1) * 3
    framing = fed(data, chunk)
    assert (framing.complete, framing.held) == (3, 0)


def test_libxls_part_is_held_until_it_is_whole() -> None:
    """So that libxc still misses the last byte of its CHECKPOINT."""
    emulator = stream.record(3, bytes(100))
    begun = stream.header("web1") + stream.pages(1) + stream.record(0xE)
    whole = begun + emulator + stream.record(4)
    held = [fed(whole[:end]).held for end in range(len(begun) - 1, len(whole) + 1)]
    assert held == [*range(len(emulator) + 9), 0]
    assert fed(real_stream()[:-8]).held == 1


def test_what_is_held_is_bounded() -> None:
    endless = stream.header("web1") + stream.record(0xE) + stream.record(3, bytes(64 << 20)) * 2
    with pytest.raises(FramingError, match="are the most there can be"):
        fed(endless)


def test_full_copy_is_incomplete_to_its_last_byte() -> None:
    data = stream.header("web1") + stream.checkpoint(1)
    assert [fed(data[:end]).complete for end in (len(data) - 8, len(data) - 1, len(data))] == [0, 0, 1]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b" " * 40, "no domain of xl"),
        (HEAD[:36] + struct.pack("<I", 1) + HEAD[40:], "before Xen 4.6"),
        (stream.header("web1") + stream.record(0), "libxc says that the stream ends"),
        (stream.header("web1") + stream.checkpoint(1) + stream.record(0), "libxc says that the stream ends"),
        (stream.header("web1") + stream.record(0xE) + stream.record(0), "libxl says that the stream ends"),
        (stream.header("web1") + stream.record(0xE) + stream.record(1), "where Remus has none"),
        (stream.header("web1") + stream.record(0xE) + stream.record(5), "where Remus has none"),
        (stream.header("web1") + stream.record(0xE) + stream.record(4, b"more"), "where Remus has none"),
        (stream.header("web1") + stream.record(0x1234), "unknown"),
        (stream.header("web1") + struct.pack("<II", 1, 1 << 31), "bytes"),
        (stream.header("web1").replace(b"LibxlFmt", b"LibxlFmu"), "no stream of libxl"),
        (stream.header("web1").replace(b"XENF", b"XENG"), "no image of libxc"),
    ],
)
def test_what_would_wake_the_copy_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(FramingError, match=complaint):
        fed(data)


def test_optional_records_pass() -> None:
    assert fed(stream.header("web1") + stream.record(0x80000001, b"?") + stream.checkpoint(1)).complete == 1
