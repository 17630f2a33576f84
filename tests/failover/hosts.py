"""Two hosts on the loopback: real programs of Hefery with a stand-in for `xl`, and what systemd would do for them."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from failover import copies, processes, pulse
from failover.pulse import Pulse
from telemetry.units import NS_PER_S
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123456789abcdef\n"
FAKE_XL = (sys.executable, str(ROOT / "tests/failover/fake_xl.py"))


class Host:
    """One host: its folder, its programs, its domains."""

    def __init__(
        self, folder: Path, name: str, addresses: tuple[str, str], ports: tuple[int, int], domain: str
    ) -> None:
        address, peer_address = addresses
        self.name, self.address, self.folder, self.domain = name, address, folder, domain
        self.run_dir, self.config = folder / "run", folder / "remus.toml"
        self.port = ports[1]
        self._running: list[subprocess.Popen[bytes]] = []
        (folder / "bin").mkdir(parents=True)
        (folder / "domains").touch()
        key = folder / "heartbeat.key"
        key.write_text(KEY)
        key.chmod(0o600)
        self.config.write_text(
            f'[host]\nname = "{name}"\nrun_dir = "{self.run_dir}"\n'
            f'[heartbeat]\nport = {ports[0]}\naddress = "{address}"\nkey_file = "{key}"\n'
            f"[receiver]\nport = {ports[1]}\nstall_timeout_s = 2.0\n"
            f'[[peers]]\nname = "{"b" if name == "a" else "a"}"\naddress = "{peer_address}"\n'
            f'[[domains]]\nname = "{domain}"\npeers = ["a", "b"]\ntransport = "tcp"\n'
        )
        self._program("xl", f'exec {shlex.join(FAKE_XL)} "$@"')
        self._program("hefery-agent", f'echo "$@" >> {folder / "events"}')
        inherited = {name: value for name, value in os.environ.items() if name != "INVOCATION_ID"}
        self.environment = {**inherited, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FAKE_XEN": str(folder)}

    def words(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("hefery-remus")), *words, "--config", str(self.config)]

    def start(
        self, *words: str, stdin: int = subprocess.DEVNULL, more: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        log = (self.folder / "log").open("ab")
        with log:
            process = subprocess.Popen(
                words, stdin=stdin, stderr=log, env={**self.environment, **(more or {})}, cwd=ROOT
            )
        self._running.append(process)
        return process

    def act(self, verb: str, *more: str) -> tuple[int, dict[str, Any]]:
        """A verb on the domain."""
        return self.does(verb, *more, "--domain", self.domain)

    def does(self, *words: str) -> tuple[int, dict[str, Any]]:
        """One verb, its exit code and what it printed."""
        done = subprocess.run(
            self.words(*words), env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        with (self.folder / "log").open("a") as log:
            log.write(done.stderr)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}

    def replicate(self, **more: str) -> "subprocess.Popen[bytes]":
        """What remus@web1.service runs, short of the pacer."""
        send = "exec " + shlex.join(self.words("send", "--domain", self.domain))
        script = 'exec -a xl "$0" "$@"'
        more["HEFERY_PACER_DIRECTORY"] = f"/run/hefery/{self.domain}"
        return self.start("bash", "-c", script, *FAKE_XL, "remus", "-s", "", self.domain, send, more=more)

    def domains(self) -> dict[str, str]:
        return dict(line.rsplit(" ", 1) for line in (self.folder / "domains").read_text().splitlines())

    def runs(self) -> bool:
        return self.domains().get(self.domain) in {"r-----", "-b----"}

    def events(self) -> str:
        path = self.folder / "events"
        return path.read_text() if path.exists() else ""

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def _program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)


class Receivers(threading.Thread):
    """hefery-receiver.socket with Accept=yes, and ExecStopPost of each receiver."""

    def __init__(self, host: Host) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._listener = socket.create_server((host.address, host.port))
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                process = self._host.start(*self._host.words("receive"), stdin=connection.fileno())
                connection.close()
                self.processes.append(process)
                threading.Thread(target=self._follow, args=[process], daemon=True).start()

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        self._host.does("clean")


class Pair:
    """Host a, where web1 runs, and host b, which receives it."""

    def __init__(self, folder: Path) -> None:
        ports = _free_port(), _free_port()
        # its own, as Hefery looks for processes of a domain on the whole host, and tests run side by side
        self.domain = f"web{ports[0]}"
        # so are these, lest another test takes a port in the meantime
        network = "127.{}.{}".format(*(byte or 1 for byte in os.urandom(2)))
        addresses = f"{network}.1", f"{network}.2"
        self.a = Host(folder / "a", "a", addresses, ports, self.domain)
        self.b = Host(folder / "b", "b", (addresses[1], addresses[0]), ports, self.domain)
        (self.a.folder / "domains").write_text(f"{self.domain} -b----\n")
        self.heartbeats = {host.name: host.start(*host.words("heartbeat")) for host in (self.a, self.b)}
        self.receivers = Receivers(self.b)
        self.receivers.start()
        self._silenced: list[socket.socket] = []
        self._heartbeat_port = ports[0]
        for host, peer in ((self.a, "b"), (self.b, "a")):
            wait_for(partial(_has_heard, host, peer))

    def protect(self, **more: str) -> "subprocess.Popen[bytes]":
        process = self.a.replicate(**more)
        wait_for(lambda: self.phase() == "protected")
        return process

    def phase(self) -> str:
        record = copies.read(self.b.run_dir, self.domain)
        return "none" if record is None else record.phase

    def mark(self) -> str:
        """What the processes of the copy are known by."""
        record = copies.read(self.b.run_dir, self.domain)
        return "" if record is None else record.mark

    def cut_power_of_a(self, xl: "subprocess.Popen[bytes]") -> None:
        """Nothing of it is heard any more, its programs stand still; its domains are as good as gone."""
        self._silence(self.a)
        sender = [process.pid for process in processes.children(xl.pid)]
        for pid in (xl.pid, *sender):
            os.kill(pid, signal.SIGSTOP)
        (self.a.folder / "domains").write_text("")

    def cut_power_of_b(self) -> None:
        self._silence(self.b)
        self.receivers.close()
        self._silenced += _deaf(self.b.address, self.b.port)
        wait_for(lambda: time.monotonic_ns() - _pulse(self.a, "b").alive_ns > NS_PER_S)

    def await_heartbeats(self, host: Host, peer: str, for_s: float) -> None:
        """Until `host` has heard `peer` for so long from now on."""
        until_ns = time.monotonic_ns() + int(for_s * NS_PER_S)
        wait_for(lambda: _pulse(host, peer).heard_ns > until_ns)

    def _silence(self, host: Host) -> None:
        """No heartbeat, and no answer of the kernel to a knock either."""
        self._silenced += _deaf(host.address, self._heartbeat_port)
        self.heartbeats[host.name].kill()

    def copies(self) -> int:
        """How many may run; one that is being checkpointed counts, one that comes in does not."""
        return len([host for host in (self.a, self.b) if self.domain in host.domains()])

    def end(self) -> None:
        self.receivers.close()
        for host in (self.a, self.b):
            host.end()
        for held in self._silenced:
            held.close()
        for marked in _marked(self.a.folder.parent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(marked, 9)


def _pulse(host: Host, peer: str) -> Pulse:
    return pulse.read(pulse.path(host.run_dir, peer)) or pulse.NEVER


def _has_heard(host: Host, peer: str) -> bool:
    return _pulse(host, peer).heard_ns > 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _deaf(address: str, port: int) -> list[socket.socket]:
    """A port that answers nothing, as its queue is full."""
    full = socket.socket()
    full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    full.bind((address, port))
    full.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for knocking in waiting:
        knocking.setblocking(False)
        knocking.connect_ex((address, port))
    return [full, *waiting]


def _marked(folder: Path) -> Iterator[int]:
    """Processes of the stand-in that outlive their parents, by the folder in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"FAKE_XEN={folder}/".encode() in path.read_bytes():
                yield int(path.parent.name)
