"""Orders to the receiver of a domain on this host: in, words; out, what it answers, by its socket.

Words are `status`; `prepare`: the primary is about to destroy its own copy, hold this one whatever the heartbeat says;
`take-over`: it has. Where there is a lease, both are but a reason to look at that. Each message is one packet (unix(7),
SOCK_SEQPACKET) of JSON.
"""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from failover import copies
from failover.errors import FailoverError

_MOST_BYTES: Final = 4096
Answer = Mapping[str, object]


class NoReceiver(FailoverError):
    """Nobody receives that domain here."""


class Control:
    """A conversation with a receiver; it notices when this end is closed."""

    def __init__(self, run_dir: Path, domain: str) -> None:
        """Raises NoReceiver."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.connect(str(_path(run_dir, domain)))
        except OSError as error:
            self._socket.close()
            raise NoReceiver(f"no receiver of {domain} is alive here: {error.strerror}") from error

    def fileno(self) -> int:
        """Ready to be read where an answer has come, or the receiver has ended."""
        return self._socket.fileno()

    def ask(self, word: str, limit_s: float) -> Answer:
        """What it answers; raises NoReceiver where it ends or does not answer."""
        self.tell(word)
        answer = self.hear(limit_s)
        if answer is None:
            raise NoReceiver(f"the receiver does not answer within {limit_s:g} s")
        return answer

    def tell(self, word: str) -> None:
        """Say it; raises NoReceiver."""
        try:
            self._socket.send(word.encode())
        except OSError as error:
            raise NoReceiver(f"the receiver does not listen: {error}") from error

    def hear(self, limit_s: float) -> Answer | None:
        """An answer; None where none has come in time. Raises NoReceiver where the receiver ends, or talks nonsense."""
        self._socket.settimeout(limit_s)
        try:
            packet = self._socket.recv(_MOST_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise NoReceiver(f"the receiver does not answer: {error}") from error
        if not packet:
            raise NoReceiver("the receiver has ended")
        try:
            answer: Answer = json.loads(packet)
        except (RecursionError, ValueError) as error:
            raise NoReceiver(f"the receiver says what is no answer: {packet[:80]!r}") from error
        return answer

    def close(self) -> None:
        """End it."""
        self._socket.close()


def listen(run_dir: Path, domain: str) -> socket.socket:
    """The receiver's end; raises OSError."""
    path = _path(run_dir, domain)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen()
    return listener


def hear(client: socket.socket) -> str:
    """The next word; empty where the client has closed."""
    try:
        return client.recv(_MOST_BYTES).decode(errors="replace")  # no word may end the receiver, and so the copy
    except OSError:
        return ""


def answer(client: socket.socket, message: Answer) -> None:
    """Answer, if anybody still listens; one who reads nothing is not waited for."""
    try:
        client.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)
    except OSError:
        return


def _path(run_dir: Path, domain: str) -> Path:
    return copies.directory(run_dir, domain) / "control"
