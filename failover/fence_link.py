"""The link to the fence: in, calls of this host's processes at a socket; out, their answers, by one session for all.

So no call starts a process, neither here nor on the fence's server. What is said in the session is in fence/session.py.
"""

import argparse
import logging
import os
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from typing import Final

from failover import locks
from failover.errors import FailoverError
from failover.settings import RemusSettings

_log = logging.getLogger(__name__)

_MOST_BYTES: Final = 1 << 16
_CALL_LIMIT_S: Final = 1.0
_STUCK_LIMITS: Final = 4
"""A session that does not answer for so many limits of a call is given up."""


class LinkError(FailoverError):
    """There is no session, or no more; the text says why."""


def run(settings: RemusSettings, _: argparse.Namespace) -> int:
    """Until the session ends; raises LinkError then, and systemd begins another."""
    if settings.fence is None or not settings.fence.serve:
        raise LinkError("there is no fence.serve in the configuration: nothing begins a session")
    at = settings.fence_link
    with locks.held(at.with_suffix(".lock")), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        at.unlink(missing_ok=True)
        link = Link(settings.fence.serve, _STUCK_LIMITS * settings.fence.limit_s)
        try:
            link.greet()
            listening.bind(str(at))
            at.chmod(0o600)
            listening.listen(64)
            threading.Thread(target=_listen, args=(link, listening), daemon=True).start()
            link.pass_answers_on()
        finally:
            at.unlink(missing_ok=True)
            link.end()
    raise LinkError(f"{settings.fence.serve[0]}: the session has ended")


def _listen(link: "Link", listening: socket.socket) -> None:
    """A link that hears nobody any more ends, lest its callers wait for it."""
    try:
        while True:
            caller, _ = listening.accept()
            threading.Thread(target=link.serve, args=(caller,), daemon=True).start()
    finally:
        link.end()


class Link:
    """One session; callers are answered in whatever order the fence answers."""

    def __init__(self, command: tuple[str, ...], stuck_s: float) -> None:
        """Raises OSError."""
        self._session = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._stuck_s, self._lock = stuck_s, threading.Lock()
        self._calls: dict[str, _Call] = {}
        self._count = 0

    def greet(self) -> None:
        """Wait until the fence answers anything: before, nobody is to wait for this link. Raises LinkError."""
        assert self._session.stdout is not None
        self._say("0 hello\n")
        if not self._session.stdout.readline().startswith("0 "):
            raise LinkError(f"{self._session.args!r}: no session came about")

    def pass_answers_on(self) -> None:
        """Until the session ends."""
        assert self._session.stdout is not None
        for line in self._session.stdout:
            number, _, answer = line.partition(" ")
            with self._lock:
                call = self._calls.pop(number, None)
            if call is not None:
                call.answer(answer)

    def serve(self, caller: socket.socket) -> None:
        """One call; a session that is stuck is ended."""
        call = _Call(caller)
        try:
            self._pass_on(call, call.words())
        except (OSError, ValueError):
            caller.close()
        else:
            if not call.is_answered.wait(self._stuck_s):
                _log.error("the session does not answer: it is ended")
                self.end()

    def end(self) -> None:
        """With all that it has started; callers hear the end of their connections."""
        with suppress(ProcessLookupError):
            os.killpg(self._session.pid, signal.SIGKILL)
        self._session.wait()

    def _pass_on(self, call: "_Call", words: str) -> None:
        with self._lock:
            self._count += 1
            self._calls[str(self._count)] = call
            self._say(f"{self._count} {words}\n")

    def _say(self, line: str) -> None:
        assert self._session.stdin is not None
        self._session.stdin.write(line)
        self._session.stdin.flush()


class _Call:
    """Of one process of this host."""

    def __init__(self, caller: socket.socket) -> None:
        self._caller, self.is_answered = caller, threading.Event()

    def words(self) -> str:
        """Raises OSError, ValueError where it is none."""
        self._caller.settimeout(_CALL_LIMIT_S)
        words, end, rest = self._caller.recv(_MOST_BYTES).decode("ascii").partition("\n")
        if not end or rest:
            raise ValueError(f"not a call: {words!r:.80}")
        return words

    def answer(self, line: str) -> None:
        """The caller may wait no more."""
        self.is_answered.set()
        with self._caller, suppress(OSError):
            self._caller.sendall(line.encode())
