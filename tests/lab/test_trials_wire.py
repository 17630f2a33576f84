import socket

from lab.trials.sightings import Frame
from lab.trials.wire import attach, frame, source_filter

GUEST = bytes.fromhex("00163e770050")
OTHER = bytes.fromhex("525400770011")
CLIENT = bytes.fromhex("525400770014")
IP_AND_UDP = bytes(28)


def test_the_kernel_lets_pass_what_the_guest_has_sent_alone() -> None:
    sender, listener = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, listener:
        listener.setblocking(False)
        attach(listener, source_filter(GUEST))
        for source in (OTHER, GUEST, GUEST[:-1] + b"\x51", b"\x00\x17" + GUEST[2:]):
            sender.send(CLIENT + source + b"\x08\x00" + IP_AND_UDP)
        sender.send(GUEST + CLIENT + b"\x08\x00" + IP_AND_UDP)  # to the guest
        assert listener.recv(100)[6:12] == GUEST
        listener.settimeout(0)
        try:
            second = listener.recv(100)
        except BlockingIOError:
            second = b""
        assert second == b""


def test_a_tick_is_told_from_other_frames() -> None:
    head = CLIENT + GUEST + b"\x08\x00" + IP_AND_UDP
    assert frame("a", 5, head + b"TICK 517 0a1b2c3d") == Frame("a", 5, 517, "0a1b2c3d")
    assert frame("b", 6, head + b"HTTP/1.1 200 OK") == Frame("b", 6)
    assert frame("b", 6, head + b"TICK x 0a1b2c3d") == Frame("b", 6)
