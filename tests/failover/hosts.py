"""Two hosts on the loopback: real programs of Hefery with a stand-in for `xl`, and what systemd would do for them."""

import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from failover import pulse

ROOT = Path(__file__).parents[2]
LIMIT_S = 20.0
KEY = "0123456789abcdef0123456789abcdef\n"


def wait_for(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true"
        time.sleep(0.02)


class Host:
    """One host: its folder, its programs, its domains."""

    def __init__(self, folder: Path, name: str, address: str, peer: tuple[str, str], ports: tuple[int, int]) -> None:
        self.name, self.address, self.folder = name, address, folder
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
            f'[[peers]]\nname = "{peer[0]}"\naddress = "{peer[1]}"\n'
            '[[domains]]\nname = "web1"\npeers = ["a", "b"]\ntransport = "tcp"\n'
        )
        self._program("xl", f'exec {sys.executable} {ROOT / "tests/failover/fake_xl.py"} "$@"')
        self._program("hefery-agent", f'echo "$@" >> {folder / "events"}')
        self.environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FAKE_XEN": str(folder)}

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
        send = "exec " + shlex.join(self.words("send", "--domain", "web1"))
        xl = (sys.executable, str(ROOT / "tests/failover/fake_xl.py"))
        script = 'exec -a xl "$0" "$@"'
        more["HEFERY_PACER_DIRECTORY"] = "/run/hefery/web1"
        return self.start("bash", "-c", script, *xl, "remus", "-s", "", "web1", send, more=more)

    def domains(self) -> dict[str, str]:
        return dict(line.rsplit(" ", 1) for line in (self.folder / "domains").read_text().splitlines())

    def runs(self) -> bool:
        return self.domains().get("web1") in {"r-----", "-b----"}

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
        self.a = Host(folder / "a", "a", "127.0.0.1", ("b", "127.0.0.2"), ports)
        self.b = Host(folder / "b", "b", "127.0.0.2", ("a", "127.0.0.1"), ports)
        (self.a.folder / "domains").write_text("web1 -b----\n")
        self.heartbeats = {host.name: host.start(*host.words("heartbeat")) for host in (self.a, self.b)}
        self.receivers = Receivers(self.b)
        self.receivers.start()
        self._silenced: list[socket.socket] = []
        self._heartbeat_port = ports[0]
        for host, peer in ((self.a, "b"), (self.b, "a")):
            wait_for(partial(_has_heard, host.run_dir, peer))

    def protect(self, **more: str) -> "subprocess.Popen[bytes]":
        process = self.a.replicate(**more)
        wait_for(lambda: self.phase() == "protected")
        return process

    def phase(self) -> str:
        path = self.b.run_dir / "receive" / "web1" / "state"
        try:
            return str(json.loads(path.read_text())["phase"])
        except FileNotFoundError:
            return "none"

    def silence_a(self) -> None:
        """As if a lost its power: no heartbeat, and its kernel answers no knock either, as its queue is full."""
        full = socket.socket()
        full.bind((self.a.address, self._heartbeat_port))
        full.listen(0)
        self._silenced = [full, *(_knock(self.a.address, self._heartbeat_port) for _ in range(4))]
        self.heartbeats["a"].kill()

    def copies(self) -> int:
        return len([host for host in (self.a, self.b) if host.runs()])

    def end(self) -> None:
        self.receivers.close()
        for host in (self.a, self.b):
            host.end()
        for held in self._silenced:
            held.close()
        for marked in _marked(self.a.folder.parent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(marked, 9)


def _has_heard(run_dir: Path, peer: str) -> bool:
    known = pulse.read(pulse.path(run_dir, peer))
    return known is not None and known.heard_ns > 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _knock(address: str, port: int) -> socket.socket:
    knocking = socket.socket()
    knocking.setblocking(False)
    knocking.connect_ex((address, port))
    return knocking


def _marked(folder: Path) -> Iterator[int]:
    """Processes of the stand-in that outlive their parents, by the folder in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"FAKE_XEN={folder}/".encode() in path.read_bytes():
                yield int(path.parent.name)
