"""The landscape: who is in it, and where an instance of it keeps its files and namespaces."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lab.errors import LabError

ROOT: Final = Path(__file__).resolve().parents[1]


def _states(clone: Path) -> Path:
    return clone / "build" / "lab"


STATES: Final = _states(ROOT)
"""Where every instance of this clone has its folder, and trials their reports and logs."""
SUITE: Final = "bookworm"
"""The Debian release of all hosts: the one whose Xen is 4.17."""
BRIDGE_ADDRESS: Final = "10.77.0.1"
PREFIX_LENGTH: Final = 24
DEFAULT: Final = "lab"
"""The instance where HEFERY_LAB names none."""

Kind = Literal["xen", "nfs", "container"]


@dataclass(frozen=True)
class Host:
    """A host of the landscape: QEMU machines run Xen (`xen`) or plain Linux (`nfs`), the others are containers."""

    name: str
    kind: Kind
    number: int
    """The last byte of its address."""
    memory_mib: int = 0
    cpus: int = 1

    @property
    def address(self) -> str:
        """Its IPv4 address, the same in every instance."""
        return f"10.77.0.{self.number}"

    @property
    def mac(self) -> str:
        """The hardware address of eth0."""
        return f"52:54:00:77:00:{self.number:02d}"

    @property
    def port(self) -> str:
        """Its interface on the bridge."""
        return f"veth-{self.name}" if self.kind == "container" else f"tap-{self.name}"


HOSTS: Final = {
    host.name: host
    for host in (
        Host("a", "xen", 11, memory_mib=2048, cpus=2),
        Host("b", "xen", 12, memory_mib=2048, cpus=2),
        Host("f", "nfs", 13, memory_mib=384),
        Host("c", "container", 14),
        Host("m", "container", 15),
    )
}
MACHINES: Final = tuple(host for host in HOSTS.values() if host.kind != "container")
CONTAINERS: Final = tuple(host for host in HOSTS.values() if host.kind == "container")


def host(name: str) -> Host:
    """The host of that name. Raises LabError naming those that there are."""
    try:
        return HOSTS[name.lower()]
    except KeyError:
        raise LabError(f"there is no host {name}: the lab has {', '.join(HOSTS)}") from None


@dataclass(frozen=True)
class Instance:
    """One lab among several side by side: where it keeps what."""

    name: str
    state: Path
    """Overlays, serial logs, ssh_config: stay over `down`."""
    run: Path
    """Process ids, sockets, mounts: gone after `down`."""
    cache: Path
    """Images, shared by all instances."""

    @property
    def plain(self) -> bool:
        """Whether its machines began as a plain Debian that GRUB boots; noted when its disks are made."""
        return (self.state / "plain").exists()

    @property
    def namespace(self) -> str:
        """The network namespace with the bridge; another clone's instance of this name has another."""
        return f"hefery-{self.run.name}"

    def namespace_of(self, host: Host) -> str:
        """The network namespace in which a host's processes run."""
        return f"{self.namespace}-{host.name}" if host.kind == "container" else self.namespace

    def disk(self, host: Host) -> Path:
        """A machine's qcow2 overlay, its snapshots within."""
        return self.state / f"{host.name}.qcow2"

    def root(self, host: Host) -> Path:
        """Where a container's root file system is mounted."""
        return self.run / host.name

    def monitor(self, host: Host) -> Path:
        """A machine's QMP socket."""
        return self.run / f"{host.name}.qmp"

    def console(self, host: Host) -> Path:
        """The socket of a machine's serial line."""
        return self.run / f"{host.name}.console"

    def log(self, host: Host) -> Path:
        """What a host's console and its QEMU or nspawn have said."""
        return self.state / f"{host.name}.log"


def instance(environment: Mapping[str, str] = os.environ, clone: Path = ROOT) -> Instance:
    """The instance that HEFERY_LAB names. Raises LabError for a name that cannot name a namespace or folder.

    What runs is apart by clone: a lab that another clone left running is never taken for this one's.
    """
    name = environment.get("HEFERY_LAB") or DEFAULT
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,15}", name):
        raise LabError(f"HEFERY_LAB={name}: use at most 16 letters (a-z), digits and hyphens")
    cache = Path(environment.get("HEFERY_CACHE") or Path.home() / ".cache" / "hefery") / "lab"
    mark = hashlib.sha256(str(clone).encode()).hexdigest()[:6]
    return Instance(name, _states(clone) / name, Path("/run/hefery-lab") / f"{name}-{mark}", cache)
