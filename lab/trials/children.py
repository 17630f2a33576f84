"""What runs beside a trial: in, words and a log; out, a process that has begun, ended with the trial."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lab import network, remote
from lab.errors import LabError
from lab.landscape import ROOT, Host, Instance
from lab.processes import wait
from lab.trials import probe as probe_program
from lab.trials.reports import Told

_BEGIN_S = 60.0
_END_S = 10.0
_PROBE = "/run/hefery-probe.py"


@contextmanager
def logged(words: list[str], log: Path, greeting: str) -> Iterator[None]:
    """Run a command with its output in `log`, from when it has said `greeting` on stderr until the block is left."""
    with log.open("ab") as out, ExitStack() as stack:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, cwd=ROOT)
        stack.callback(_end, child)
        assert child.stderr is not None
        stack.callback(child.stderr.close)
        said = child.stderr.readline().decode().strip()
        if said != greeting:
            raise LabError(f"{' '.join(words)}: {said}{child.stderr.read().decode()}")
        yield


def wire(lab: Instance, mac: str, ports: dict[str, str]) -> list[str]:
    """The words that log what the guest sends; `ports` are the hosts' by name."""
    listen = [f"{host}={port}" for host, port in ports.items()]
    return network.inside(lab.namespace, sys.executable, "-m", "lab.trials.wire", mac, *listen)


def writes(lab: Instance, port: str, addresses: dict[str, str]) -> list[str]:
    """The words that log whose writes the NFS server at `port` accepts; `addresses` are the hosts' by name."""
    hosts = [f"{host}={address}" for host, address in addresses.items()]
    return network.inside(lab.namespace, sys.executable, "-m", "lab.trials.writes", port, *hosts)


def client(lab: Instance, address: str, *path: str) -> list[str]:
    """The words that ask the guest's server, again and again or once for `path`."""
    return network.inside(lab.namespace, sys.executable, "-m", "lab.trials.client", address, *path)


@dataclass
class Probe:
    """A probe at work on a host: takes orders, and remembers what it told."""

    stdin: IO[str]
    log: IO[str]
    told: list[Told] = field(default_factory=list)

    def order(self, interval_ms: int, valid_s: float = 60.0) -> int:
        """Order an interval; the sequence of the order once it is in place. Raises LabError."""
        return self._write(f"{interval_ms} {valid_s}")

    def garble(self, text: str) -> int:
        """Put nonsense in the order's place."""
        return self._write(f"raw {text}")

    def remove(self) -> int:
        """Take the order away."""
        return self._write("remove")

    def take(self, line: str) -> None:
        """Take in a line that has just arrived."""
        arrived_ns = time.time_ns()
        self.log.write(f"{arrived_ns} {line}")
        self.log.flush()
        self.told.append(Told.of(arrived_ns, line))

    def _write(self, line: str) -> int:
        before = len(self.told)

        def done() -> int | None:
            return next((told.what for told in self.told[before:] if isinstance(told.what, int)), None)

        self.stdin.write(f"{line}\n")
        self.stdin.flush()
        if not wait(lambda: done() is not None, _BEGIN_S):
            raise LabError(f"the probe has not done `{line}` in {_BEGIN_S:g} s: see {self.log.name}")
        return done() or 0


def feed(lab: Instance, host: Host, command: str, text: str, limit_s: float = _BEGIN_S) -> str:
    """What a command printed on a host that was given `text` as its input. Raises LabError."""
    done = subprocess.run(
        remote.ssh(lab, host, command), input=text, capture_output=True, text=True, timeout=limit_s, check=False
    )
    if done.returncode:
        raise LabError(f"{host.name}: `{command}` failed ({done.returncode}): {done.stderr.strip()}")
    return done.stdout


@contextmanager
def probing(lab: Instance, host: Host, directory: str, log: Path) -> Iterator[Probe]:
    """A probe in a domain's directory on a host, from when it listens until the block is left."""
    feed(lab, host, f"cat >{_PROBE}", Path(probe_program.__file__).read_text())
    words = remote.ssh(lab, host, f"python3 -u {_PROBE} {directory}")
    with log.open("a", encoding="utf-8") as out, ExitStack() as stack:
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdin is not None
        assert child.stdout is not None
        probe = Probe(child.stdin, out)
        reader = threading.Thread(target=_feed, args=(probe, child.stdout), daemon=True)
        reader.start()
        stack.callback(reader.join, _END_S)
        stack.callback(_end, child)
        if not wait(lambda: bool(probe.told), _BEGIN_S):
            raise LabError(f"{host.name}: the probe has not begun in {_BEGIN_S:g} s")
        yield probe


def _feed(probe: Probe, lines: IO[str]) -> None:
    for line in lines:
        if line.endswith("\n"):  # the last may be half a one, where the host's power failed
            probe.take(line)


def _end(child: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    child.terminate()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
