"""A heartbeat on the wire: in, who lives and which copies he holds; out, a datagram that no one else can make.

`incarnation` is drawn when a daemon starts and `count` only grows, so that a datagram played again is not heard.
"""

import hmac
import struct
from dataclasses import dataclass
from typing import Final

_MAGIC: Final = b"HRB1"
_HEAD: Final = struct.Struct("<4s16sQ")
_MAC_BYTES: Final = 32
MAX_BYTES: Final = 1400
"""Within one Ethernet frame."""


class DatagramError(ValueError):
    """Not a heartbeat of a host that has the key."""


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life of `host`, which holds protected copies of the domains `copies`."""

    host: str
    incarnation: bytes
    count: int
    copies: tuple[str, ...]

    def encode(self, key: bytes) -> bytes:
        """The datagram; copies that it has no room for are left out."""
        text = "\0".join((self.host, *self.copies)).encode()
        room = MAX_BYTES - _HEAD.size - _MAC_BYTES
        if len(text) > room:
            text = text[: text.rindex(b"\0", 0, room + 1)]
        body = _HEAD.pack(_MAGIC, self.incarnation, self.count) + text
        return body + _mac(key, body)


def decode(datagram: bytes, key: bytes) -> Heartbeat:
    """The heartbeat in `datagram`; raises DatagramError."""
    body, mac = datagram[:-_MAC_BYTES], datagram[-_MAC_BYTES:]
    if len(body) <= _HEAD.size or not hmac.compare_digest(mac, _mac(key, body)):
        raise DatagramError("not made with this host's heartbeat.key")
    magic, incarnation, count = _HEAD.unpack_from(body)
    if magic != _MAGIC:
        raise DatagramError(f"begins with {magic!r}, {_MAGIC!r} is known")
    host, *copies = body[_HEAD.size :].decode().split("\0")
    return Heartbeat(host, incarnation, count, tuple(copies))


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")
