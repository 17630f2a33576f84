"""A real etcd: in, a folder; out, members on loopback that can be killed, frozen and started again."""

import base64
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import urllib3

from failover.lease_settings import LeaseSettings
from tests.waiting import freeze

_FIND = [str(Path(__file__).parents[1] / "scripts" / "etcd"), "--find"]
_START_LIMIT_S = 30.0
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Tls:
    """A server's certificate and key, and the authority that has signed it."""

    authority: Path
    certificate: Path
    key: Path


class Member:
    """One etcd; its address stays the same over restarts."""

    def __init__(self, folder: Path, data: Path, name: str, tls: Tls | None) -> None:
        self.folder, self.data, self.name, self.tls, self.program = folder, data, name, tls, _program()
        # held, so that no other test gets them while this one is down
        self._held = [_reserved(), _reserved()]
        ports = [held.getsockname()[1] for held in self._held]
        self.url, self.peer_url = f"{'https' if tls else 'http'}://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, members: Sequence["Member"]) -> None:
        """Does not wait: one of three serves when another is there."""
        cluster = ",".join(f"{member.name}={member.peer_url}" for member in members)
        options = {
            "name": self.name,
            "data-dir": str(self.data / self.name),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": self.peer_url,
            "initial-advertise-peer-urls": self.peer_url,
            "initial-cluster": cluster,
            "heartbeat-interval": "50",
            "election-timeout": "500",
            "pre-vote": "true",
            "bcrypt-cost": "4",
            "logger": "zap",
            **({"cert-file": str(self.tls.certificate), "key-file": str(self.tls.key)} if self.tls else {}),
        }
        words = [f"--{key}={value}" for key, value in options.items()]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen([self.program, *words], stdout=log, stderr=log)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def freeze(self) -> None:
        assert self.process is not None
        freeze(self.process.pid)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.kill()
        for held in self._held:
            held.close()

    def call(self, path: str, body: Mapping[str, object], token: str = "") -> Any:
        """What Hefery itself never asks."""
        headers = {"Authorization": token} if token else {}
        with urllib3.PoolManager(timeout=2.0, retries=False, ca_certs=self.tls and str(self.tls.authority)) as pool:
            answer = pool.request("POST", f"{self.url}/v3/{path}", body=json.dumps(body), headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}: {answer.data[:500]!r}")
        return answer.json()


@contextmanager
def running_etcd(folder: Path, count: int = 1, tls: Tls | None = None) -> Iterator[list[Member]]:
    """So many members, their logs in `folder`; they serve.

    What they keep is in memory where that can be: a busy disk takes a second to sync, and each call has a deadline.
    """
    with ExitStack() as stack:
        data = Path(stack.enter_context(TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else folder)))
        members = [Member(folder, data, f"m{number}", tls) for number in range(count)]
        for member in members:
            stack.callback(member.close)
        for member in members:
            member.start(members)
        for member in members:
            wait_until_it_serves(member)
        yield members


def wait_until_it_serves(member: Member) -> None:
    deadline_s = time.monotonic() + _START_LIMIT_S
    while not _serves(member):
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"etcd did not start:\n{(member.folder / f'{member.name}.log').read_text()[-2000:]}")
        time.sleep(0.02)


def settings_for(members: Sequence[Member], **more: Any) -> LeaseSettings:
    """As remus.toml would have them."""
    cluster = int(members[0].call("maintenance/status", {})["header"]["cluster_id"])
    return LeaseSettings(tuple(member.url for member in members), f"{cluster:x}", **more)


def patient(members: Sequence[Member]) -> LeaseSettings:
    """For who is not under test himself: it is no matter how slow the machine is."""
    return settings_for(members, ttl_s=30.0, renew_s=5.0, call_timeout_s=5.0)


def leader_of(members: Sequence[Member]) -> Member:
    """By what the members that run say."""
    for member in members:
        status = member.call("maintenance/status", {})
        if status["header"]["member_id"] == status["leader"]:
            return member
    raise RuntimeError("no member leads")


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def frozen(member: Member) -> Iterator[None]:
    """It stands still meanwhile."""
    member.freeze()
    try:
        yield
    finally:
        member.signal(signal.SIGCONT)


def _serves(member: Member) -> bool:
    try:
        return bool(member.call("maintenance/status", {}).get("leader", "0") != "0")
    except (urllib3.exceptions.HTTPError, RuntimeError):
        return False


def _program() -> str:
    found = subprocess.run(_FIND, capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    return found.stdout.strip()


def _reserved() -> socket.socket:
    """A port that is bound, not listened on; etcd (Go) sets SO_REUSEADDR and may bind it too."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
