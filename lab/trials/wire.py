"""The wire, as root in the lab's namespace: in, two ports and the guest's MAC; out, a line a frame, until ended.

usage: python -m lab.trials.wire MAC HOST=PORT...        (format: lab.trials.sightings)
"""

import re
import selectors
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

from lab.trials.sightings import Frame
from telemetry.units import NS_PER_S

_ALL_PROTOCOLS: Final = 3  # ETH_P_ALL, if_ether.h
_TIMESTAMP_NS: Final = 35  # SO_TIMESTAMPNS, asm-generic/socket.h: the wall clock, when the frame reached the port
_OUTGOING: Final = 4  # PACKET_OUTGOING, if_packet.h: on its way to the host, so not from it
_BUFFER_BYTES: Final = 1 << 22
_LONGEST: Final = 256  # a tick is shorter, and of others only the addresses count
_TICK: Final = re.compile(rb"TICK ([0-9]{1,19}) ([0-9a-z]{1,16})\Z")

# struct sock_filter of `ether src MAC`, as `tcpdump -dd` prints it: code, jump if true, if false, operand
_LOAD_WORD, _LOAD_HALF, _JUMP_EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06


def source_filter(mac: bytes) -> bytes:
    """The packet filter that lets pass what `mac` (6 bytes) has sent (bpf(4))."""
    head, tail = struct.unpack("!HI", mac)
    program = [
        (_LOAD_WORD, 0, 0, 8),
        (_JUMP_EQUAL, 0, 3, tail),
        (_LOAD_HALF, 0, 0, 6),
        (_JUMP_EQUAL, 0, 1, head),
        (_RETURN, 0, 0, 0xFFFF),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def frame(host: str, time_ns: int, content: bytes) -> Frame:
    """What a frame of the guest was; a tick is told by its text at the end."""
    tick = _TICK.search(content)
    return Frame(host, time_ns) if tick is None else Frame(host, time_ns, int(tick[1]), tick[2].decode())


def listen(port: str, mac: bytes) -> socket.socket:
    """A socket that gets what comes in at `port` from `mac`, with times; it outlives the host behind the port."""
    return open_port(port, source_filter(mac))


def open_port(port: str, program: bytes = b"") -> socket.socket:
    """A socket that gets all that the packet filter lets pass at `port`, both ways, with times."""
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)  # protocol 0: nothing comes before the filter is set
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_NS, 1)
    if program:
        attach(listener, program)
    listener.bind((port, _ALL_PROTOCOLS))
    return listener


def attach(listener: socket.socket, program: bytes) -> None:
    """Give the socket its filter (SO_ATTACH_FILTER, socket(7)): a struct sock_fprog that points at the program."""
    import ctypes  # noqa: PLC0415 - for one address; a process that only builds filters has no need of it

    buffer = ctypes.create_string_buffer(program, len(program))
    listener.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)))


def receive(listener: socket.socket) -> tuple[int, bytes] | None:
    """Time and content of the next frame that came from the host; None for another, or where the port went down."""
    seen = receive_any(listener, _LONGEST)
    return None if seen is None or seen.is_outgoing else (seen.time_ns, seen.content)


@dataclass(frozen=True)
class Seen:
    """A frame; outgoing where it is on its way to the host."""

    time_ns: int
    content: bytes
    is_outgoing: bool


def receive_any(listener: socket.socket, longest: int) -> Seen | None:
    """The next frame, its first `longest` bytes; None where the port went down."""
    try:
        content, ancillary, _, address = listener.recvmsg(longest, socket.CMSG_SPACE(16))
    except OSError:  # ENETDOWN once, when the host's power fails; the socket stays bound to the port
        return None
    seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
    return Seen(seconds * NS_PER_S + nanoseconds, content, address[2] == _OUTGOING)


def main(words: list[str]) -> None:
    """Listen at every port until somebody ends this."""
    mac = bytes.fromhex(words[0].replace(":", ""))
    with selectors.DefaultSelector() as selector:
        for word in words[1:]:
            host, _, port = word.partition("=")
            selector.register(listen(port, mac), selectors.EVENT_READ, host)
        sys.stderr.write("listening\n")
        while True:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                if seen := receive(key.fileobj):
                    sys.stdout.write(frame(key.data, *seen).line())
            sys.stdout.flush()  # whole lines, whenever this is ended


if __name__ == "__main__":
    main(sys.argv[1:])
