"""A TCP connection that notices the other side's death: in, a socket; out, the same with its options set (tcp(7))."""

import socket
from typing import Final

_OPTIONS: Final = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)


def watch(connection: socket.socket, stall_s: float) -> None:
    """Have it break after some 5 s without an answer, or `stall_s` with data unanswered, which defeats keepalive."""
    if connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    for level, option, value in _OPTIONS:
        connection.setsockopt(level, option, value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_s * 1000))
