"""By frames of the lab: a Linux 6.1 host whose guest writes its disk through NFS 4.1."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from lab.trials.writes import Segment, Stream, Writes, is_done, is_write, segment

HOST = "10.77.0.11"
_LINES = (Path(__file__).parents[1] / "data" / "nfs-4.1-linux-6.1-guest-writes.txt").read_text().splitlines()
FRAMES = [bytes.fromhex(line.split()[1]) for line in _LINES]
SEGMENTS = [seen for frame in FRAMES if (seen := segment(frame)) is not None]
MARK = 4
"""Bytes before a record, which say how long it is."""


def record(is_call: bool) -> bytes:
    """A WRITE, or the answer to one."""
    for number, seen in enumerate(SEGMENTS):
        if seen.is_call and is_write(seen.payload[MARK:]):
            answer = next(s for s in SEGMENTS[number:] if not s.is_call and s.payload[4:8] == seen.payload[4:8])
            return (seen if is_call else answer).payload[MARK:]
    raise AssertionError


def done(segments: list[Segment]) -> list[str]:
    writes = Writes()
    return [host for seen in segments for host in writes.take(seen)]


def test_each_write_counts_once_when_it_is_answered() -> None:
    asked = sum(seen.is_call and is_write(seen.payload[MARK:]) for seen in SEGMENTS)
    assert asked == 6
    assert done(SEGMENTS) == [HOST] * asked
    assert done([seen for seen in SEGMENTS if seen.is_call]) == []
    assert done([seen for seen in SEGMENTS if not seen.is_call]) == []


def test_what_is_sent_again_or_cut_anywhere_counts_once() -> None:
    twice = [seen for each in SEGMENTS for seen in (each, each)]
    parts = [
        replace(seen, sequence=seen.sequence + at, payload=seen.payload[at : at + 100])
        for seen in SEGMENTS
        for at in range(0, max(1, len(seen.payload)), 100)
    ]
    assert done(twice) == done(parts) == done(SEGMENTS)


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (24, 30),  # NFS4ERR_ROFS, as of a view that a fence has made read-only
        (20, 1),  # RPC does not know the program
        (8, 1),  # RPC denies
    ],
)
def test_a_write_that_is_refused_is_none(offset: int, value: int) -> None:
    answer = bytearray(record(is_call=False))
    assert is_done(bytes(answer))
    struct.pack_into("!I", answer, offset, value)
    assert not is_done(bytes(answer))


def test_other_calls_and_broken_ones_are_no_writes() -> None:
    call = record(is_call=True)
    others = [s.payload[MARK:] for s in SEGMENTS if s.is_call and len(s.payload) > MARK and len(s.payload) < 1000]
    assert others
    assert not any(map(is_write, others))
    assert not any(is_write(call[:end]) for end in range(100))
    assert not any(is_done(record(is_call=False)[:end]) for end in range(28))


def test_a_stream_goes_on_with_the_next_record_after_one_was_lost() -> None:
    call = record(is_call=True)
    whole = struct.pack("!I", 1 << 31 | len(call)) + call
    stream, start = Stream(), (1 << 32) - 10  # the numbers of bytes wrap
    assert stream.feed(start, b"the end of a record before") == []
    assert stream.feed(start, whole) == [call]
    at = (start + 2 * len(whole)) % (1 << 32)  # one is missing
    assert stream.feed(at, whole[:50]) == []
    assert stream.feed(at + 50, whole[50:]) == [call]


def test_frames_of_others_are_passed_over() -> None:
    assert segment(FRAMES[0][:40]) is None
    assert segment(FRAMES[0][:12] + b"\x08\x06" + FRAMES[0][14:]) is None
    assert segment(FRAMES[0][:34] + b"\x00\x16\x00\x16" + FRAMES[0][38:]) is None
