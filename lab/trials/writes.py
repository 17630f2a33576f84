"""Who writes the guests' disks, as root in the lab's namespace: in, F's port and hosts; out, a line a write.

usage: python -m lab.trials.writes PORT HOST=ADDRESS...        (format: lab.trials.sightings)
"""

import selectors
import struct
import sys
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from lab.trials import wire
from lab.trials.sightings import Write

_LONGEST: Final = 1 << 16
_PORT: Final = 2049
_IPV4, _TCP = 0x0800, 6
_WRAP: Final = 1 << 32
_LAST: Final = 1 << 31
"""Of a record, the only fragment that Linux sends (RFC 5531, 11)."""
_LONGEST_RECORD: Final = 1 << 21
_CALL, _REPLY = 0, 1
_NFS4_COMPOUND: Final = (2, 100003, 4, 1)
"""RPC's version, program, its version, procedure."""
_PUTFH, _WRITE, _SEQUENCE = 22, 38, 53
_SEQUENCE_BYTES: Final = 32


@dataclass(frozen=True)
class Segment:
    """What a TCP segment between a client and the server carries."""

    client: str
    client_port: int
    is_call: bool
    sequence: int
    payload: bytes


def segment(frame: bytes) -> Segment | None:
    """A frame's, where it is one of NFS over IPv4."""
    if len(frame) < 54 or struct.unpack_from("!H", frame, 12) != (_IPV4,) or frame[23] != _TCP:
        return None
    (total,) = struct.unpack_from("!H", frame, 16)
    start = 14 + (frame[14] & 15) * 4
    source, target, sequence = struct.unpack_from("!HHI", frame, start)
    if _PORT not in {source, target}:
        return None
    payload = frame[start + (frame[start + 12] >> 4) * 4 : 14 + total]
    is_call = target == _PORT
    client = frame[26:30] if is_call else frame[30:34]
    return Segment(str(ip_address(client)), source if is_call else target, is_call, sequence, payload)


@dataclass
class Stream:
    """One direction of a connection, from any moment on: what is lost on the way costs the record it is part of."""

    _next: int | None = None
    _left: bytes = b""

    def feed(self, sequence: int, payload: bytes) -> list[bytes]:
        """The records that end with this segment."""
        if self._next is not None:
            behind = (self._next - sequence) % _WRAP
            if behind < _LAST:
                payload = payload[behind:]  # sent again
            else:
                self._next = None
        if self._next is None:
            if not _begins(payload):
                return []
            self._next, self._left = sequence, b""
        self._next = (self._next + len(payload)) % _WRAP
        return self._cut(self._left + payload)

    def _cut(self, read: bytes) -> list[bytes]:
        records = []
        while len(read) >= 4:
            end = 4 + struct.unpack_from("!I", read)[0] % _LAST
            if end > _LONGEST_RECORD:
                self._next, read = None, b""
            if len(read) < end:
                break
            records.append(read[4:end])
            read = read[end:]
        self._left = read
        return records


def _begins(payload: bytes) -> bool:
    if len(payload) < 12:
        return False
    mark, _, kind = struct.unpack_from("!III", payload)
    return bool(mark & _LAST) and mark % _LAST < _LONGEST_RECORD and kind in {_CALL, _REPLY}


def is_write(record: bytes) -> bool:
    """Whether a call asks for a WRITE (RFC 8881, 16.2); for one that is none of NFS, or not whole, it does not."""
    try:
        if struct.unpack_from("!IIIII", record, 4) != (_CALL, *_NFS4_COMPOUND):
            return False
        at = _after_opaque(record, _after_opaque(record, 24 + 4) + 4)  # credential and verifier
        at = _after_opaque(record, at) + 8  # tag; minor version, number of operations
        while True:
            (operation,) = struct.unpack_from("!I", record, at)
            if operation == _WRITE:
                return True
            if operation == _SEQUENCE:
                at += 4 + _SEQUENCE_BYTES
            elif operation == _PUTFH:
                at = _after_opaque(record, at + 4)
            else:
                return False
    except struct.error:
        return False


def is_done(record: bytes) -> bool:
    """Whether a reply says yes to all that was asked."""
    try:
        _, kind, denied, _ = struct.unpack_from("!IIII", record)
        accepted, status = struct.unpack_from("!II", record, _after_opaque(record, 16))
    except struct.error:
        return False
    return (kind, denied, accepted, status) == (_REPLY, 0, 0, 0)


def _after_opaque(record: bytes, at: int) -> int:
    """Where variable-length data ends whose length is at `at`."""
    (length,) = struct.unpack_from("!I", record, at)
    return at + 4 + (int(length) + 3) // 4 * 4


@dataclass
class Writes:
    """Pairs what was asked with what was answered."""

    _streams: dict[tuple[str, int, bool], Stream] = field(default_factory=dict)
    _asked: set[tuple[str, int, bytes]] = field(default_factory=set)

    def take(self, seen: Segment) -> list[str]:
        """The addresses of the clients whose writes were done."""
        stream = self._streams.setdefault((seen.client, seen.client_port, seen.is_call), Stream())
        done = []
        for record in stream.feed(seen.sequence, seen.payload):
            call = (seen.client, seen.client_port, record[:4])
            if seen.is_call and is_write(record):
                self._asked.add(call)
            elif not seen.is_call and call in self._asked:
                self._asked.remove(call)
                if is_done(record):
                    done.append(seen.client)
        return done


def main(words: list[str]) -> None:
    """Listen until somebody ends this."""
    hosts = {address: host for host, _, address in (word.partition("=") for word in words[1:])}
    writes, listener = Writes(), wire.open_port(words[0])
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        sys.stderr.write("listening\n")
        while selector.select():
            if (frame := wire.receive_any(listener, _LONGEST)) and (seen := segment(frame.content)):
                for client in writes.take(seen):
                    sys.stdout.write(Write(hosts.get(client, client), frame.time_ns).line())
                    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
