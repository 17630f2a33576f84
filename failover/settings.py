"""The configuration of replication: in, the tables of remus.toml; out, frozen and checked settings.

Plain dataclasses: to import pydantic takes an emulated host five seconds, which every start of a transport, a receiver
or an act would have to wait for.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from failover import checks
from failover.lease_settings import FenceSettings, LeaseSettings

INCOMING: Final = "--incoming"
"""Ends the name of a copy until it is woken (xl_migrate.c)."""

TRANSPORTS: Final = ("ssh", "tcp")
_LARGEST_PORT: Final = 65535
_TAKEN: Final = frozenset(
    {"acts", "fence.link", "fence.lock", "fence.sock", "guard", "heartbeat", "maintenance", "receive", "receive.sock"}
)
"""What is in run_dir beside the folders that are called as domains."""


@dataclass(frozen=True)
class HostSettings:
    """This host: its name among the peers, and where things are that hold until the next boot."""

    name: str
    """As the peers' files name this host."""
    run_dir: Path = Path("/run/hefery")
    """Copies and signs of life; the same as the agent's, whose holds are beside them."""

    def __post_init__(self) -> None:
        checks.name("name", self.name)


@dataclass(frozen=True)
class HeartbeatSettings:
    """Signs of life between all hosts, by UDP; nobody may listen on TCP port `port`."""

    port: int = 7761
    """UDP port, the same on all hosts."""
    address: str = ""
    """To listen on; all addresses by default."""
    period_s: float = 0.1
    """Time between two signs of life."""
    timeout_s: float = 1.0
    """Silence of a peer that means its death: it adds to every failover. By default ten heartbeats may be lost."""
    key_file: Path = Path("/etc/hefery/heartbeat.key")
    """Secret (0600) that all hosts share: without it nobody can give an order, or fake a sign of life."""

    def __post_init__(self) -> None:
        checks.within("port", self.port, 1, _LARGEST_PORT)
        checks.within("period_s", self.period_s, 0.01, 1.0)
        checks.within("timeout_s", self.timeout_s, 0.2, 60.0)
        if self.timeout_s < 3 * self.period_s:
            raise ValueError("timeout_s: must be at least 3 * period_s, or one lost datagram would be a failover")


@dataclass(frozen=True)
class PeerSettings:
    """Another host: its [host] name, and its IPv4 address or name on the link that replicates."""

    name: str
    """As its own file names it."""
    address: str
    """Where its heartbeat and its receiver are."""

    def __post_init__(self) -> None:
        checks.name("name", self.name)
        if not self.address:
            raise ValueError("address: is empty")


@dataclass(frozen=True)
class ReceiverSettings:
    """Where copies are received; systemd listens."""

    port: int = 7760
    """TCP port of the receivers, the same on all hosts, with transport `tcp`."""
    address: str = ""
    """The socket unit's; nothing here reads it."""
    socket: Path = Path("/run/hefery/receive.sock")
    """Where `hefery-remus connect`, which ssh runs, reaches the receiver."""
    stall_timeout_s: float = 5.0
    """A stream that moves nothing for so long is given up, as the guest stands still meanwhile."""

    def __post_init__(self) -> None:
        checks.within("port", self.port, 1, _LARGEST_PORT)
        checks.within("stall_timeout_s", self.stall_timeout_s, 1.0, 60.0)


@dataclass(frozen=True)
class DomainSettings:
    """A guest that two hosts replicate between them; `tcp` is for a link of its own, as nothing is encrypted there."""

    name: str
    """As Xen names it."""
    peers: tuple[str, str]
    """The two hosts' names; this host is one of them."""
    transport: str = TRANSPORTS[0]
    """`ssh` or `tcp`: ssh encrypts the guest's memory and costs CPU for it."""
    ssh_key: Path | None = None
    """Private key that the peer lets in for this alone; none is ssh's own choice."""
    ssh_user: str = "root"
    """Who has that key on the peer: to receive a guest takes root."""
    ssh_known_hosts: Path = Path("/etc/hefery/known_hosts")
    """The peers' public keys; another is refused."""

    def __post_init__(self) -> None:
        checks.name("name", self.name)
        if self.name.endswith(INCOMING):
            raise ValueError(f"name: xl gives names that end in {INCOMING} to copies; rename the domain")
        if self.name in _TAKEN:
            raise ValueError(f"name: {self.name} is a name of Hefery's own under run_dir; rename the domain")
        if self.peers[0] == self.peers[1]:
            raise ValueError(f"peers: names {self.peers[0]} twice; name the two hosts that replicate {self.name}")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport: {self.transport!r} is none of {', '.join(TRANSPORTS)}")


@dataclass(frozen=True)
class RemusSettings:
    """The file remus.toml."""

    host: HostSettings
    heartbeat: HeartbeatSettings = field(default_factory=HeartbeatSettings)
    receiver: ReceiverSettings = field(default_factory=ReceiverSettings)
    peers: tuple[PeerSettings, ...] = ()
    domains: tuple[DomainSettings, ...] = ()
    lease: LeaseSettings | None = None
    fence: FenceSettings | None = None

    def __post_init__(self) -> None:
        hosts = [self.host.name, *(peer.name for peer in self.peers)]
        checks.once("host", hosts)
        checks.once("domain", [domain.name for domain in self.domains])
        for domain in self.domains:
            if unknown := set(domain.peers) - set(hosts):
                raise ValueError(f"domain {domain.name}: {min(unknown)} is neither [host] nor one of [[peers]]")
            if self.host.name not in domain.peers:
                raise ValueError(f"domain {domain.name}: {self.host.name}, this host, is not one of its peers")
        if self.fence is not None and self.lease is None:
            raise ValueError("fence: gives the disk to who has won a lease, and there is no [lease]")

    @property
    def fence_link(self) -> Path:
        """The socket of this host's link to the fence: a caller sends its words as a line, and has a line back."""
        return self.host.run_dir / "fence.link"

    def peer_of(self, domain: DomainSettings) -> PeerSettings:
        """The other host of a domain."""
        name = next(name for name in domain.peers if name != self.host.name)
        return next(peer for peer in self.peers if peer.name == name)
