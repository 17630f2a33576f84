"""A replication by the stand-in xl: in, an interval and a libxl; out, what it did and when, and the pacer's reports."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

from agent import order
from agent.inbox import Inbox
from agent.reports import MAX_BYTES, Applied, Checkpoint, Ended, Report, parse

PROTECTIVE_MS = 25
MS = 10**6
S = 10**9
TRANSPORT = "exec cat >/dev/null"
_PATIENCE_S = 20.0

T = TypeVar("T")


@cache
def _sanitizer() -> str:
    found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def eventually(look: Callable[[], T], what: str) -> T:
    """The first true answer of `look`."""
    end_s = time.monotonic() + _PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end_s, f"waited {_PATIENCE_S} s for {what}"
        time.sleep(0.002)
    return found


class Replication:
    """`xl remus` with the pacer preloaded; what it tells on its standard output comes with CLOCK_MONOTONIC."""

    def __init__(
        self,
        built: Path,
        directory: Path,
        *,
        interval_ms: int = 200,
        libxl: str = "4.17",
        environment: Mapping[str, str | None] | None = None,
        transport: str = TRANSPORT,
        verb: str = "remus",
        listening: bool = True,
        delivered: bool = False,
    ) -> None:
        """Start it. A variable of the environment that is None is left out; `delivered`: without sanitizers."""
        self.directory = directory
        if listening:
            directory.mkdir(mode=0o700, exist_ok=True)
        self.inbox = Inbox(directory / "report.sock") if listening else None
        self._reports: list[Report] = []
        self._trace: list[tuple[str, int]] = []
        self._said: list[str] = []
        pacer = built.parent / "libhefery-pacer.so" if delivered else built / "libhefery-pacer.so"
        variables: dict[str, str | None] = {
            **os.environ,
            "LD_PRELOAD": str(pacer) if delivered else f"{_sanitizer()} {pacer}",
            "HEFERY_PACER_DIRECTORY": str(directory),
            "HEFERY_PACER_PROTECTIVE_MS": str(PROTECTIVE_MS),
            "ASAN_OPTIONS": "detect_leaks=0",  # xl, which is not sanitized, frees little at its end
            "UBSAN_OPTIONS": "print_stacktrace=1",
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            [built / libxl / "xl", verb, "-i", str(interval_ms), "web1", f'echo "transport $$" >&2; {transport}'],
            env={name: value for name, value in variables.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [threading.Thread(target=self._read_trace), threading.Thread(target=self._read_said)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        if self.inbox is not None:
            self.inbox.close()
        assert "runtime error" not in self.said(), self.said()
        assert "AddressSanitizer" not in self.said(), self.said()

    def _read_trace(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            what, _, at_ns = line.partition(" ")
            self._trace.append((what, int(at_ns)))

    def _read_said(self) -> None:
        assert self.process.stderr is not None
        self._said.extend(self.process.stderr)

    def said(self) -> str:
        """Its standard error until now; all of it once it has ended (and its transport, which shares the pipe)."""
        if self.process.poll() is not None:
            self._readers[1].join(_PATIENCE_S)
        return "".join(self._said)

    def trace(self) -> list[tuple[str, int]]:
        """What it did until now, and when."""
        return list(self._trace)

    def times_ns(self, what: str) -> list[int]:
        """When it did that."""
        return [at_ns for done, at_ns in self.trace() if done == what]

    def await_ns(self, what: str, *, count: int = 1) -> list[int]:
        """The same, once it did so `count` times."""
        eventually(lambda: len(self.times_ns(what)) >= count, f"{count} of {what}: {self.said()}")
        return self.times_ns(what)

    def await_after_ns(self, what: str, since_ns: int) -> int:
        """When it first did that after `since_ns`."""
        found = eventually(lambda: [at for at in self.times_ns(what) if at > since_ns], f"{what}: {self.said()}")
        return found[0]

    def reports(self) -> list[Report]:
        """All reports until now; none of them is malformed."""
        assert self.inbox is not None
        self._reports.extend(parse(datagram) for datagram in self.inbox.read(MAX_BYTES + 1))
        return list(self._reports)

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints among them."""
        return [report for report in self.reports() if isinstance(report, Checkpoint)]

    def applied(self) -> list[Applied]:
        """The changes of the interval in force among them."""
        return [report for report in self.reports() if isinstance(report, Applied)]

    def await_applied(self, *, count: int = 1) -> list[Applied]:
        """The same, once there are `count`."""
        eventually(lambda: len(self.applied()) >= count, f"{count} applied: {self.said()}")
        return self.applied()

    def order(self, interval_ms: int, *, for_s: float = 30.0, sequence: int = 1) -> int:
        """Write an order as the governor does; returns the time just before."""
        now_ns = time.monotonic_ns()
        wanted = order.Order(sequence, interval_ms, now_ns + int(for_s * S))
        order.write(self.directory / "order", wanted)
        return now_ns

    def finish(self) -> Ended:
        """Its one `ended`, once it has exited."""
        self.process.wait(timeout=_PATIENCE_S)
        for reader in self._readers:
            reader.join()
        (ended,) = [report for report in self.reports() if isinstance(report, Ended)]
        assert isinstance(self.reports()[-1], Ended)
        return ended

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        """Ask it to end."""
        self.process.send_signal(number)
        return self.finish()

    def lose_backup(self) -> int:
        """Kill the transport, as a dead backup host does in the end; returns the time just before."""
        found = eventually(lambda: re.search(r"^transport (\d+)$", self.said(), re.MULTILINE), "the transport")
        assert found is not None
        now_ns = time.monotonic_ns()
        os.kill(int(found[1]), signal.SIGKILL)
        return now_ns

    def vanish(self) -> None:
        """Remove its directory with all that is in it."""
        shutil.rmtree(self.directory)
