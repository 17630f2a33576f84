"""The site under trial: in, a lab and its guest; out, the acts that trials are made of."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import actions, machine, remote
from lab.errors import LabError
from lab.landscape import HOSTS, ROOT, Host, Instance
from lab.processes import wait
from lab.trials import children, reports, sightings
from lab.trials.guest import Guest
from lab.trials.sightings import Answer, Frame, Write

_LOAD_LIMIT_S = 30
_GUARD = "/etc/systemd/system/hefery-guard@.service"


@dataclass(frozen=True)
class Watch:
    """Logs that grow while the guest is watched."""

    folder: Path

    @property
    def frames(self) -> list[Frame]:
        """What was seen of it on the wire so far."""
        return sightings.read_frames(self.folder / "wire.log")

    @property
    def answers(self) -> list[Answer]:
        """What it has answered so far."""
        return sightings.read_answers(self.folder / "answers.log")

    @property
    def writes(self) -> list[Write]:
        """What was written to its disk so far, where that is watched, too."""
        return sightings.read_writes(self.folder / "writes.log")


@dataclass(frozen=True)
class Site:
    """A lab, the guest under trial, and a folder for logs."""

    lab: Instance
    guest: Guest

    def run(self, host: Host, command: str, timeout_s: float = 60) -> str:
        """What a command printed on a host. Raises LabError."""
        return remote.run(self.lab, host, command, timeout_s)

    def has(self, host: Host, path: str, timeout_s: float = 60) -> bool:
        """Whether a host has the file. Raises LabError."""
        return "yes" in self.run(host, f"test -e {path} && echo yes || true", timeout_s)

    def cut_power(self, host: Host) -> int:
        """A host's power fails; the wall-clock time just before, so that nothing after it was the host's."""
        cut_ns = time.time_ns()
        actions.kill(self.lab, host)
        return cut_ns

    def has_power(self, host: Host) -> bool:
        """Whether a machine is on, whatever it does."""
        return machine.find(self.lab, host) is not None

    def switch_on(self) -> None:
        """Give power to the hosts that have none; they have booted then. Raises LabError."""
        actions.up(self.lab)

    @contextmanager
    def watching_disk(self, folder: Path) -> Iterator[None]:
        """Log whose writes the NFS server accepts."""
        words = children.writes(self.lab, HOSTS["f"].port, {host.name: host.address for host in self.both()})
        with children.logged(words, folder / "writes.log", "listening"):
            yield

    @contextmanager
    def watching(self, folder: Path) -> Iterator[Watch]:
        """Log all that the guest sends, and all its answers to a client that never stops asking."""
        ports = {host.name: host.port for host in (self.guest.primary, self.guest.backup)}
        words = children.wire(self.lab, self.guest.mac, ports)
        with ExitStack() as stack:
            stack.enter_context(children.logged(words, folder / "wire.log", "listening"))
            asking = children.client(self.lab, self.guest.address)
            stack.enter_context(children.logged(asking, folder / "answers.log", "asking"))
            yield Watch(folder)

    @contextmanager
    def probing(self, folder: Path) -> Iterator[children.Probe]:
        """A probe in the agent's place on the primary, that takes orders and tells what the pacer reports."""
        with children.probing(self.lab, self.guest.primary, self.guest.directory, folder / "probe.log") as probe:
            yield probe

    def load(self, query: str) -> None:
        """Have the guest load itself, as its own server offers. Raises LabError where it does not say that it does."""
        words = children.client(self.lab, self.guest.address, f"/load?{query}")
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=_LOAD_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
        if "loaded" not in done.stdout:
            raise LabError(f"the guest did not take the load {query}: {done.stdout}{done.stderr}")

    def copies(self, hosts: tuple[Host, ...]) -> dict[str, list[str]]:
        """The guest's copies by host, as `xl list` names them: NAME, or NAME--incoming for one that waits."""
        with ThreadPoolExecutor() as pool:
            listed = pool.map(lambda host: self.run(host, "xl list"), hosts)
        return {host.name: copies(text, self.guest.name) for host, text in zip(hosts, listed, strict=True)}

    def replication(self, host: Host | None = None) -> dict[str, Any]:
        """What the agent on a host (the primary) says of replication now; nothing where it has nothing to say."""
        told = self.run(host or self.guest.primary, f"cat {self.guest.directory}/replication 2>/dev/null || echo {{}}")
        said: dict[str, Any] = json.loads(told)
        return said

    def is_protected(self, host: Host | None = None) -> bool:
        """Whether the agent on a host (the primary) says that checkpoints keep coming."""
        return self.replication(host).get("protected") is True

    def has_lease(self) -> bool:
        """Whether a lease decides who may run the guest."""
        return self.has(self.guest.primary, _GUARD)

    def has_backup(self) -> bool:
        """Whether the guest is protected, and, where there is a lease, its record says so, too."""
        if not self.is_protected():
            return False
        shown = "hefery-remus lease show || true"
        return not self.has_lease() or "with a backup" in self.run(self.guest.primary, shown)

    def both(self) -> tuple[Host, Host]:
        """Primary and backup."""
        return self.guest.primary, self.guest.backup

    def commits_come(self, probe: children.Probe, count: int, limit_s: float) -> None:
        """Wait until so many more checkpoints were reported. Raises LabError."""
        before = len(reports.commits(probe.told))
        if not wait(lambda: len(reports.commits(probe.told)) >= before + count, limit_s):
            raise LabError(f"{self.guest.name}: no checkpoints in {limit_s:g} s: it is not protected")


def copies(listed: str, name: str) -> list[str]:
    """What of the guest `name` is in the text that `xl list` prints."""
    names = [line.split()[0] for line in listed.splitlines()[1:] if line.strip()]
    return [found for found in names if found in {name, f"{name}--incoming"}]
