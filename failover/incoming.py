"""A copy on its way: in, a stream and the xl that restores it; out, the gate's verdict, and what it came to.

xl takes any end of its input for the primary's death. So its input is a socket of which it inherits both ends: it ends
when this process says so (`shutdown`), and by nothing else that happens to this process or to the stream.
"""

import logging
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from failover import control, copies, pulse
from failover.copies import Phase, Record
from failover.framing import Framing, FramingError
from failover.gate import Decision, Evidence, Verdict, decide

_log = logging.getLogger(__name__)

_CHUNK: Final = 1 << 20
_LOOK_MS: Final = 50
_FLUSH_LIMIT_S: Final = 0.5
_WAKE_LIMIT_S: Final = 120.0
_REMIND_S: Final = 10.0
_FORGET_S: Final = 10.0


class Incoming:
    """One copy, from the stream's first byte to the verdict."""

    def __init__(
        self, run_dir: Path, record: Record, timeout_s: float, stream: socket.socket, xl_end: socket.socket
    ) -> None:
        """`xl_end` is this side of xl's input and output."""
        self._run_dir, self.record, self._timeout_s = run_dir, record, timeout_s
        self._stream, self._xl = stream, xl_end
        self._listener = control.listen(run_dir, record.domain)
        self._clients: dict[int, socket.socket] = {}
        self._announced_by: socket.socket | None = None
        self._forget_s: float | None = None
        self._ordered_by: socket.socket | None = None
        self._framing = Framing()
        self._buffer = memoryview(bytearray(_CHUNK))
        self._unsent = self._buffer[:0]
        self._complete = 0
        self._heard_ns = time.monotonic_ns()
        self._ended_ns: int | None = None
        self._broken = ""
        self._said: tuple[str, float] = "", 0.0

    def run(self, child: subprocess.Popen[bytes]) -> Decision:
        """Pass the stream on until the gate says yes or no; no, too, where xl ends or the stream is not Remus's."""
        exited = os.pidfd_open(child.pid)
        try:
            while True:
                self._wait(exited)
                decision = self._decide(child)
                if decision.verdict is not Verdict.WAIT:
                    return decision
                self._tell(decision)
        finally:
            os.close(exited)

    def wake(self, child: subprocess.Popen[bytes]) -> int | None:
        """End xl's input: it wakes the copy. Its exit code; None where it has not ended within two minutes."""
        self._xl.settimeout(_FLUSH_LIMIT_S)
        if self._unsent:
            try:
                self._xl.sendall(self._unsent)
            except OSError:
                _log.warning("%s: xl is slow, part of the last checkpoint is left out", self.record.domain)
        self.mark("taking-over")
        self._xl.shutdown(socket.SHUT_WR)
        _log.warning("%s: taking over: %s", self.record.domain, self._figures())
        self._stream.close()
        try:
            return child.wait(_WAKE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None

    def mark(self, phase: Phase) -> None:
        """Put the phase on record."""
        self.record = replace(self.record, phase=phase)
        copies.write(self._run_dir, self.record)

    def answer_order(self, message: control.Answer) -> None:
        """Tell who has ordered a takeover how it went."""
        if self._ordered_by is not None:
            control.answer(self._ordered_by, message)

    def _decide(self, child: subprocess.Popen[bytes]) -> Decision:
        if self._broken:
            return Decision(Verdict.GIVE_UP, self._broken)
        if (code := child.poll()) is not None:
            return Decision(Verdict.GIVE_UP, f"xl migrate-receive ended by itself, exit code {code}")
        return decide(self._evidence(), self._timeout_s)

    def _figures(self) -> str:
        """What the verdict was made of, in figures."""
        known = pulse.read(pulse.path(self._run_dir, self.record.host)) or pulse.NEVER
        now_ns = time.monotonic_ns()
        times_ns = {"heartbeat": known.heard_ns, "kernel": known.answered_ns, "stream": self._heard_ns}
        ago = ", ".join(
            f"{what} {(now_ns - then_ns) / 1e6:.0f} ms ago" for what, then_ns in times_ns.items() if then_ns
        )
        return f"{ago}, {self._complete} checkpoints"

    def _evidence(self) -> Evidence:
        known = pulse.read(pulse.path(self._run_dir, self.record.host))
        return Evidence(
            now_ns=time.monotonic_ns(),  # after the pulse was read, whose tick must not be ahead of it
            is_complete=self._complete > 0,
            stream_heard_ns=self._heard_ns,
            stream_ended_ns=self._ended_ns,
            pulse=known,
            is_handed_over=self._is_announced(),
            is_ordered=self._ordered_by is not None,
        )

    def _tell(self, decision: Decision) -> None:
        """Keep the record up to date, and say why nothing is decided yet: each reason once, an ended stream again."""
        phase: Phase = "receiving" if not self._complete else "held" if self._ended_ns is not None else "protected"
        if phase != self.record.phase:
            self.mark(phase)
        reason, said_s = self._said
        is_late = self._ended_ns is not None and time.monotonic() - said_s >= _REMIND_S
        if decision.reason != reason or is_late:
            self._said = decision.reason, time.monotonic()
            level = logging.INFO if self._ended_ns is None else logging.WARNING
            _log.log(level, "%s (%s): no takeover: %s", self.record.domain, phase, decision.reason)

    def _wait(self, exited: int) -> None:
        """Wait for something to do, do it."""
        todo: dict[int, Callable[[], None]] = {self._xl.fileno(): self._serve_xl, self._listener.fileno(): self._accept}
        waiting = select.poll()
        waiting.register(self._xl, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        waiting.register(self._listener, select.POLLIN)
        waiting.register(exited, select.POLLIN)
        if not self._unsent and self._ended_ns is None:
            waiting.register(self._stream, select.POLLIN)
            todo[self._stream.fileno()] = self._read
        for descriptor in self._clients:
            waiting.register(descriptor, select.POLLIN)
        for descriptor, _ in waiting.poll(_LOOK_MS):
            if descriptor in self._clients:
                self._obey(self._clients[descriptor])
            elif descriptor in todo:
                todo[descriptor]()

    def _read(self) -> None:
        """Take what has come, if it is what a Remus stream may hold."""
        try:
            count = self._stream.recv_into(self._buffer, _CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            _log.warning("%s: the stream broke: %s", self.record.domain, error.strerror)
            count = 0
        if not count:
            self._ended_ns = time.monotonic_ns()
            return
        self._heard_ns = time.monotonic_ns()
        try:
            self._framing.take(self._buffer[:count])
        except FramingError as error:
            self._broken = str(error)
            return
        self._unsent = self._buffer[:count]
        self._serve_xl()

    def _serve_xl(self) -> None:
        """Pass on what waits, either way. A checkpoint counts when xl has all of it."""
        try:
            if self._unsent:
                self._unsent = self._unsent[self._xl.send(self._unsent, socket.MSG_DONTWAIT) :]
            if not self._unsent:
                self._complete = self._framing.complete
            said = self._xl.recv(_CHUNK, socket.MSG_DONTWAIT)
            if said and self._ended_ns is None:
                self._stream.sendall(said)
        except BlockingIOError:
            return
        except OSError as error:  # what has really happened is seen elsewhere
            _log.debug("%s: %s", self.record.domain, error)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self._clients[client.fileno()] = client

    def _obey(self, client: socket.socket) -> None:
        match control.hear(client):
            case "status":
                control.answer(client, self._status())
            case "prepare" if self._complete:
                self._announced_by, self._forget_s = client, None
                control.answer(client, self._status())
            case "take-over" if self._complete:
                self._ordered_by = client
            case "":
                self._hang_up(client)
            case word:
                control.answer(client, {"ok": False, "error": f"{word}: the first full copy has not arrived"})

    def _hang_up(self, client: socket.socket) -> None:
        del self._clients[client.fileno()]
        client.close()
        if client is self._announced_by:
            self._forget_s = time.monotonic() + _FORGET_S

    def _is_announced(self) -> bool:
        """Whether the primary may have destroyed its copy: its announcement stands while who made it does.

        It outlives him for a while, and for good where the stream ends meanwhile: he may have died at his work.
        """
        is_over = self._forget_s is not None and time.monotonic() >= self._forget_s
        if is_over and self._ended_ns is None:
            self._announced_by = self._forget_s = None
        return self._announced_by is not None

    def _status(self) -> control.Answer:
        return {
            "ok": True,
            "phase": self.record.phase,
            "checkpoints": self._complete,
            "stream_ended": self._ended_ns is not None,
            "stream_silent_ms": (time.monotonic_ns() - self._heard_ns) // 10**6,
        }
