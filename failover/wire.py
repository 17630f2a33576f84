"""Words between two hosts: in, a connection and the key that both have; out, messages that only they can have sent.

The receiver greets with a nonce; every line after it is `MAC JSON`, the MAC (HMAC-SHA256) over the direction, both
nonces, the line's number and the JSON: so no line can be forged, played again, or turned round. The caller's first line
carries its own nonce, a `version` and a `verb`.
"""

import hmac
import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from failover.errors import FailoverError

VERSION: Final = 1
_GREETING: Final = b"hefery-remus 1 "
_NONCE_BYTES: Final = 16
_LONGEST_LINE: Final = 4096
_LEAST_KEY_BYTES: Final = 16

Message = Mapping[str, object]


class WireError(FailoverError):
    """The other side is silent, does not have the key, or speaks another language; the text says which."""


def read_key(path: Path) -> bytes:
    """The secret in a file; raises WireError where it is short, or others may read it."""
    try:
        key = path.read_bytes().strip()
        others = path.stat().st_mode & 0o077
    except OSError as error:
        raise WireError(f"{path}: cannot be read: {error.strerror}") from error
    if others:
        raise WireError(f"{path}: others may read it; make it 0600")
    if len(key) < _LEAST_KEY_BYTES:
        raise WireError(f"{path}: holds {len(key)} bytes, and {_LEAST_KEY_BYTES} are the least that is safe")
    return key


class Session:
    """One conversation. What follows the last line on the connection is left untouched."""

    def __init__(self, connection: socket.socket, key: bytes, *, is_caller: bool) -> None:
        self.connection = connection
        self._key = key
        self._to, self._from = (b"call", b"answer") if is_caller else (b"answer", b"call")
        self._count = {b"call": 0, b"answer": 0}
        self._nonces = b""

    def greet(self) -> None:
        """The receiver's part of the beginning; then it hears the call."""
        self._nonces = os.urandom(_NONCE_BYTES).hex().encode()
        self.connection.sendall(_GREETING + self._nonces + b"\n")

    def call(self, message: Message, limit_s: float) -> Message:
        """The caller's part: wait for the greeting, ask, and hear the answer; raises WireError."""
        greeting = self._line(limit_s)
        if not greeting.startswith(_GREETING):
            raise WireError(f"no receiver of Hefery's answers there: {greeting[:80]!r}")
        self._nonces = greeting.removeprefix(_GREETING)
        nonce = os.urandom(_NONCE_BYTES).hex()
        self.tell({"version": VERSION, **message, "nonce": nonce})
        self._nonces += nonce.encode()
        return self.hear(limit_s)

    def hear_call(self, limit_s: float) -> Message:
        """What the caller wants; raises WireError."""
        message = self.hear(limit_s)
        if message.get("version") != VERSION:
            raise WireError(f"the caller speaks version {message.get('version')!r}, known is {VERSION}")
        self._nonces += str(message.get("nonce")).encode()
        return message

    def tell(self, message: Message) -> None:
        """Send a line; raises OSError."""
        text = json.dumps(message).encode()
        self.connection.sendall(self._mac(self._to, text) + b" " + text + b"\n")

    def hear(self, limit_s: float) -> Message:
        """The next line; raises WireError."""
        mac, _, text = self._line(limit_s).partition(b" ")
        if not hmac.compare_digest(mac, self._mac(self._from, text)):
            raise WireError("the other side has another key: heartbeat.key must be the same on all hosts")
        said = None
        with suppress(RecursionError, ValueError):
            said = json.loads(text)
        if not isinstance(said, dict):
            raise WireError(f"not a message: {text[:80]!r}")
        return said

    def _mac(self, direction: bytes, text: bytes) -> bytes:
        number, self._count[direction] = self._count[direction], self._count[direction] + 1
        signed = b"%s %d %s %s" % (direction, number, self._nonces, text)
        return hmac.digest(self._key, signed, "sha256").hex().encode()

    def _line(self, limit_s: float) -> bytes:
        """A line and nothing behind it, as a raw stream may follow."""
        deadline_s = time.monotonic() + limit_s
        line = b""
        try:
            while not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                self.connection.settimeout(max(deadline_s - time.monotonic(), 0.001))
                ready = self.connection.recv(_LONGEST_LINE, socket.MSG_PEEK)
                if not ready:
                    raise WireError("the other side has hung up" + (f" after {line[:80]!r}" if line else ""))
                line += self.connection.recv(ready.find(b"\n") + 1 or len(ready))
        except TimeoutError:
            raise WireError(f"the other side said nothing within {limit_s:g} s") from None
        except OSError as error:
            raise WireError(f"the connection is broken: {error.strerror}") from error
        finally:
            self.connection.settimeout(None)
        return line.removesuffix(b"\n")
