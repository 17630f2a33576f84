"""Who may write a guest's disk, by a command that any storage may bring: in, an epoch; out, what it has answered.

It is called as `COMMAND give GUEST HOST EPOCH` and `COMMAND show GUEST`, and keeps roles/fence/README.md's contract: a
line of JSON with `answer`, and status 0 for done, 1 for failed, 3 for refused. All else counts as silence. Where this
host has a link to the fence (fence_link.py), the words go there, and no command is started.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from failover.guard_state import Answers, Denied, Given
from failover.guard_workers import Fence, NoFence
from failover.lease import Unknown
from failover.lease_settings import FenceSettings
from failover.settings import RemusSettings

_log = logging.getLogger(__name__)

_DONE, _REFUSED = (0, "done"), (3, "refused")
_STATUS: Final = {answer: status for status, answer in (_DONE, _REFUSED)}
_FAILED: Final = 1
_LONGEST_REASON: Final = 300
_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Owner:
    """Who may write the disk, and under which epoch; no host and 0 where nobody may."""

    host: str
    epoch: int


def of(settings: RemusSettings, domain: str) -> Fence:
    """The guest's, for this host; a warning, and nothing that keeps others away, where there is no [fence]."""
    if settings.fence is None:
        _log.warning("%s: there is no fence: what a frozen host has under way may still be written", domain)
        return NoFence()
    return command_of(settings, settings.fence, domain)


def command_of(settings: RemusSettings, at: FenceSettings, domain: str) -> "FenceCommand":
    """The same of a fence that there is."""
    return FenceCommand(at, domain, settings.host.name, settings.fence_link if at.serve else None)


class FenceCommand:
    """Each call is a process that ends, or is ended, within `limit_s`; or a connection to the link, where that is."""

    def __init__(self, settings: FenceSettings, guest: str, host: str, link: Path | None = None) -> None:
        """`guest` and `host` are names that the settings have checked."""
        self._link = link
        self._command, self._limit_s, self._guest, self._host = settings.command, settings.limit_s, guest, host

    def probe(self) -> Answers | Unknown:
        """Whether it answers."""
        owner = self.owner()
        return owner if isinstance(owner, Unknown) else Answers()

    def give(self, epoch: int) -> Given | Denied | Unknown:
        """Have the disk given to this host in this epoch; again for one that was not answered."""
        said = self._call("give", self._guest, self._host, str(epoch))
        if isinstance(said, Unknown):
            return said
        return Denied(epoch, said.reason) if said.is_refusal else Given(epoch)

    def owner(self) -> Owner | Unknown:
        """Who has it."""
        said = self._call("show", self._guest)
        if isinstance(said, Unknown):
            return said
        try:
            return Owner(str(said.message["host"] or ""), int(said.message["epoch"] or 0))
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            return Unknown(f"{self._command[0]}: shows no host and epoch: {said.reason or repr(error)}")

    def _call(self, *words: str) -> "_Said | Unknown":
        if self._link is not None:
            with suppress(FileNotFoundError, ConnectionRefusedError):  # there is none now
                return self._ask_link(str(self._link), " ".join(words))
        return self._start(*words)

    def _ask_link(self, link: str, words: str) -> "_Said | Unknown":
        """Raises FileNotFoundError or ConnectionRefusedError where there is no link."""
        deadline_s, answer = time.monotonic() + self._limit_s, b""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                connection.settimeout(self._limit_s)
                connection.connect(link)
                connection.sendall(f"{words}\n".encode())
                while (part := connection.recv(_MOST_BYTES)) and len(answer) < _MOST_BYTES:
                    answer += part
                    connection.settimeout(max(deadline_s - time.monotonic(), 0.001))
            except (FileNotFoundError, ConnectionRefusedError):
                raise
            except OSError as error:
                return Unknown(f"{link}: {error.strerror or f'no answer within {self._limit_s:g} s'}")
        return _said(link, None, answer.decode(errors="replace"), "")

    def _start(self, *words: str) -> "_Said | Unknown":
        # not pipes, whose ends a connection that ssh keeps for the next call would hold open
        with _in_memory() as answer, _in_memory() as errors:
            try:
                status = self._run([*self._command, *words], answer, errors)
            except OSError as error:
                return Unknown(f"{self._command[0]}: {error.strerror}")
            if status is None:
                return Unknown(f"{self._command[0]}: no answer within {self._limit_s:g} s")
            return _said(self._command[0], status, _text(answer), _text(errors))

    def _run(self, command: list[str], answer: BinaryIO, errors: BinaryIO) -> int | None:
        """Its status; None where it had to be ended, with all that it has started."""
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=answer, stderr=errors, start_new_session=True
        )
        try:
            return process.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # it is there until it is waited for
            process.wait()
            return None


@dataclass(frozen=True)
class _Said:
    """A yes, or a refusal for good."""

    is_refusal: bool
    message: Mapping[str, Any]

    @property
    def reason(self) -> str:
        return str(self.message.get("reason", ""))


def _said(program: str, status: int | None, answer: str, errors: str) -> _Said | Unknown:
    """An answer counts where its status says the same; a link has no status, but for what it says."""
    message = None
    with suppress(ValueError, RecursionError):
        message = json.loads(answer)
    if status is None:
        status = _STATUS.get(str(message.get("answer")), _FAILED) if isinstance(message, dict) else _FAILED
    if isinstance(message, dict) and (status, message.get("answer")) in (_DONE, _REFUSED):
        return _Said(status == _REFUSED[0], message)
    reason = message.get("reason") if isinstance(message, dict) else None
    said = reason or " ".join((answer + " " + errors).split()) or "nothing was said"
    return Unknown(f"{program}: status {status}: {str(said)[:_LONGEST_REASON]}")


def _in_memory() -> BinaryIO:
    return os.fdopen(os.memfd_create("fence"), "w+b")


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read(_MOST_BYTES).decode(errors="replace")
