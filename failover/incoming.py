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
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from failover import copies, pulse
from failover.control import Answer
from failover.copies import Phase, Record
from failover.framing import Framing, FramingError
from failover.gate import Decision, Evidence, Gate, Verdict
from failover.orders import Orders
from telemetry.units import NS_PER_MS

_log = logging.getLogger(__name__)

_CHUNK: Final = 1 << 20
_LOOK_MS: Final = 50
_FLUSH_LIMIT_S: Final = 0.5
_AGAIN_S: Final = 0.1
_RECORD_LIMIT_S: Final = 5.0
"""For the record to be written, after which the copy wakes without: it is the guest, and its clients wait."""
_WAKE_LIMIT_S: Final = 120.0
_REMIND_S: Final = 10.0


class Incoming:
    """One copy, from the stream's first byte to the verdict."""

    def __init__(self, run_dir: Path, record: Record, gate: Gate, stream: socket.socket, xl_end: socket.socket) -> None:
        """`xl_end` is this side of xl's input and output."""
        self._run_dir, self.record, self._gate = run_dir, record, gate
        self._stream, self._xl = stream, xl_end
        self.orders = Orders(run_dir, record.domain)
        self._framing = Framing()
        self._buffer = memoryview(bytearray(_CHUNK))
        self._unsent = self._buffer[:0]
        self._held = b""
        self._complete = 0
        self._heard_ns = time.monotonic_ns()
        self._ended_ns: int | None = None
        self._is_draining = False
        self._broken = self._problem = ""
        self._last, self._said_s = Decision(Verdict.WAIT, ""), 0.0

    def run(self, child: subprocess.Popen[bytes]) -> Decision:
        """Pass the stream on until the gate says yes or no; no, too, where xl ends or the stream is not Remus's."""
        exited = os.pidfd_open(child.pid)
        try:
            while True:
                self._wait(exited)
                decision = self._decide(child)
                if decision.verdict not in {Verdict.WAIT, Verdict.DRAIN}:
                    return decision
                if decision.verdict is Verdict.DRAIN and not self._is_draining:
                    self._drain()
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
        until_s = time.monotonic() + _RECORD_LIMIT_S
        while not self.mark("taking-over") and time.monotonic() < until_s:
            time.sleep(_AGAIN_S)
        self._xl.shutdown(socket.SHUT_WR)
        _log.warning("%s: taking over: %s", self.record.domain, self._figures())
        self._stream.close()
        try:
            return child.wait(_WAKE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None

    def mark(self, phase: Phase) -> bool:
        """Put the phase on record, if that can be: a full disk must not end a copy, which may be all that is left."""
        record = replace(self.record, phase=phase)
        try:
            copies.write(self._run_dir, record)
        except OSError as error:
            if str(error) != self._problem:
                _log.error("%s: that its copy is %s cannot be written: %s", record.domain, phase, error)
            self._problem = str(error)
            return False
        self.record, self._problem = record, ""
        return True

    def _decide(self, child: subprocess.Popen[bytes]) -> Decision:
        if self._broken and not self._is_draining:
            return Decision(Verdict.GIVE_UP, self._broken)
        if (code := child.poll()) is not None:
            return Decision(Verdict.GIVE_UP, f"xl migrate-receive ended by itself, exit code {code}")
        return self._gate.judge(self._evidence())

    def _drain(self) -> None:
        """Nothing more is acknowledged from now on; what was is still read, and belongs to the copy."""
        self._is_draining = True
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)

    def _figures(self) -> str:
        """What the verdict was made of, in figures."""
        known = pulse.read(pulse.path(self._run_dir, self.record.host)) or pulse.NEVER
        now_ns = time.monotonic_ns()
        times_ns = {"heartbeat": known.heard_ns, "kernel": known.answered_ns, "stream": self._heard_ns}
        ago = ", ".join(
            f"{what} {(now_ns - then_ns) / NS_PER_MS:.0f} ms ago" for what, then_ns in times_ns.items() if then_ns
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
            is_handed_over=self.orders.is_announced(has_ended=self._ended_ns is not None),
            is_ordered=self.orders.is_ordered,
            is_drained=self._ended_ns is not None and not self._unsent,
        )

    def _tell(self, decision: Decision) -> None:
        """Keep the record up to date, and say why nothing is decided yet: each reason once, an ended stream again."""
        phase: Phase = "receiving" if not self._complete else "held" if self._ended_ns is not None else "protected"
        if phase != self.record.phase:
            self.mark(phase)  # if not now, then soon
        is_late = self._ended_ns is not None and time.monotonic() - self._said_s >= _REMIND_S
        is_new, self._last = decision.reason != self._last.reason, decision
        if is_new or is_late:
            self._said_s = time.monotonic()
            level = logging.INFO if self._ended_ns is None else logging.WARNING
            _log.log(level, "%s (%s): no takeover: %s", self.record.domain, phase, decision.reason)

    def _wait(self, exited: int) -> None:
        """Wait for something to do, do it."""
        waiting = select.poll()
        waiting.register(self._xl, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        if not self._unsent and self._ended_ns is None:
            waiting.register(self._stream, select.POLLIN)
        for descriptor in (exited, *self._gate.descriptors, *self.orders.descriptors):
            waiting.register(descriptor, select.POLLIN)
        for descriptor, _ in waiting.poll(_LOOK_MS):
            if descriptor == self._stream.fileno():
                self._read()
            elif descriptor == self._xl.fileno():
                self._serve_xl()
            else:
                self.orders.serve(descriptor, self._status, is_complete=self._complete > 0)

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
            self._broken, self._ended_ns = str(error), time.monotonic_ns()
            return
        data = memoryview(self._held + self._buffer[:count]) if self._held else self._buffer[:count]
        passing = len(data) - self._framing.held
        self._unsent, self._held = data[:passing], bytes(data[passing:])
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

    def _status(self) -> Answer:
        return {
            "ok": True,
            "phase": self.record.phase,
            "checkpoints": self._complete,
            "stream_ended": self._ended_ns is not None,
            "stream_silent_ms": (time.monotonic_ns() - self._heard_ns) // NS_PER_MS,
            "waits_for": self._last.reason,
            "ready": self._last.is_ready,
        }
