"""The configuration of replication: in, the tables of remus.toml; out, frozen and checked settings.

Plain dataclasses: to import pydantic takes an emulated host five seconds, which every start of a transport, a receiver
or an act would have to wait for.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from telemetry.units import NS_PER_S

INCOMING: Final = "--incoming"
"""Ends the name of a copy until it is woken (xl_migrate.c)."""

TRANSPORTS: Final = ("ssh", "tcp")
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
_LONGEST_NAME: Final = 64
_LARGEST_PORT: Final = 65535
LONGEST_TTL_S: Final = 60.0


@dataclass(frozen=True)
class HostSettings:
    """This host: its name among the peers, and where things are that hold until the next boot."""

    name: str
    """As the peers' files name this host."""
    run_dir: Path = Path("/run/hefery")
    """Copies and signs of life; the same as the agent's, whose holds are beside them."""

    def __post_init__(self) -> None:
        _check_name("name", self.name)


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
        _check_within("port", self.port, 1, _LARGEST_PORT)
        _check_within("period_s", self.period_s, 0.01, 1.0)
        _check_within("timeout_s", self.timeout_s, 0.2, 60.0)
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
        _check_name("name", self.name)
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
        _check_within("port", self.port, 1, _LARGEST_PORT)
        _check_within("stall_timeout_s", self.stall_timeout_s, 1.0, 60.0)


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
        _check_name("name", self.name)
        if self.name.endswith(INCOMING):
            raise ValueError(f"name: xl gives names that end in {INCOMING} to copies; rename the domain")
        if self.peers[0] == self.peers[1]:
            raise ValueError(f"peers: names {self.peers[0]} twice; name the two hosts that replicate {self.name}")
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport: {self.transport!r} is none of {', '.join(TRANSPORTS)}")


@dataclass(frozen=True)
class LeaseSettings:
    """Where it is decided who may run a guest: one etcd, or the members of one cluster."""

    endpoints: tuple[str, ...]
    """Such as https://10.0.0.13:2379; addresses, as no renewal may wait for a name server."""
    cluster_id: str
    """In hexadecimal, as etcd writes it: an emptied etcd, which would give old epochs again, has another."""
    ca_file: Path = Path("/etc/hefery/lease-ca.pem")
    """The authority that has signed etcd's certificates."""
    user: str = ""
    """This host's in etcd; none where etcd asks for none."""
    password_file: Path = Path("/etc/hefery/lease.password")
    """That user's, 0600."""
    ttl_s: float = 2.0
    """A dead holder keeps others out for so long: it adds to every failover."""
    renew_s: float = 0.5
    """Time between two renewals: by default three may be lost, and a fourth comes too late."""
    call_timeout_s: float = 0.4
    """For one question to etcd, whatever goes wrong; each endpoint has an equal part of it."""
    pause_share: float = 0.75
    """Of ttl_s without a renewal, then the guest stands still; what is left is for clocks and for a late wake-up."""

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ValueError("endpoints: is empty; name at least one, such as https://10.0.0.13:2379")
        for url in self.endpoints:
            _check_endpoint(url)
        if len({urlsplit(url).scheme for url in self.endpoints}) > 1:
            raise ValueError("endpoints: are in part http and in part https")
        if not self.cluster_id or not set("0123456789abcdef").issuperset(self.cluster_id):
            raise ValueError(f"cluster_id: {self.cluster_id!r} is not a cluster's, such as cdf818194e3a8c32")
        _check_within("ttl_s", self.ttl_s, 0.5, LONGEST_TTL_S)
        _check_within("renew_s", self.renew_s, 0.05, LONGEST_TTL_S)
        _check_within("call_timeout_s", self.call_timeout_s, 0.02, LONGEST_TTL_S)
        if self.renew_s * 3 > self.ttl_s:
            raise ValueError("ttl_s: must be at least 3 * renew_s, or one lost renewal would stop the guest")
        _check_within("pause_share", self.pause_share, 0.5, 0.9)
        if self.renew_s * 2 > self.pause_share * self.ttl_s:
            raise ValueError("pause_share: must leave time for 2 * renew_s, or one lost renewal would stop the guest")
        if self.call_timeout_s > self.renew_s:
            raise ValueError("call_timeout_s: must not be longer than renew_s, or renewals would come late")

    @property
    def pause_ns(self) -> int:
        """From the asking for the last renewal that was answered to the pause."""
        return int(self.pause_share * self.ttl_s * NS_PER_S)

    @property
    def is_encrypted(self) -> bool:
        """Whether the endpoints speak TLS."""
        return self.endpoints[0].startswith("https:")


@dataclass(frozen=True)
class RemusSettings:
    """The file remus.toml."""

    host: HostSettings
    heartbeat: HeartbeatSettings = field(default_factory=HeartbeatSettings)
    receiver: ReceiverSettings = field(default_factory=ReceiverSettings)
    peers: tuple[PeerSettings, ...] = ()
    domains: tuple[DomainSettings, ...] = ()
    lease: LeaseSettings | None = None

    def __post_init__(self) -> None:
        hosts = [self.host.name, *(peer.name for peer in self.peers)]
        _check_once("host", hosts)
        _check_once("domain", [domain.name for domain in self.domains])
        for domain in self.domains:
            if unknown := set(domain.peers) - set(hosts):
                raise ValueError(f"domain {domain.name}: {min(unknown)} is neither [host] nor one of [[peers]]")
            if self.host.name not in domain.peers:
                raise ValueError(f"domain {domain.name}: {self.host.name}, this host, is not one of its peers")

    def peer_of(self, domain: DomainSettings) -> PeerSettings:
        """The other host of a domain."""
        name = next(name for name in domain.peers if name != self.host.name)
        return next(peer for peer in self.peers if peer.name == name)


def _check_name(key: str, name: str) -> None:
    """Names become file names and words of command lines."""
    if not 0 < len(name) <= _LONGEST_NAME or not _WORD.issuperset(name) or name[0] in "-.+":
        raise ValueError(f"{key}: {name!r} is not a name of letters, digits and _ . + -, {_LONGEST_NAME} at most")


def _check_endpoint(url: str) -> None:
    try:
        parts = urlsplit(url)
        address, is_whole = ip_address(parts.hostname or ""), bool(parts.port) and parts.path in {"", "/"}
    except ValueError as error:
        raise ValueError(f"endpoints: {url!r} is not like https://10.0.0.13:2379, with an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not is_whole:
        raise ValueError(f"endpoints: {url!r} is not like https://10.0.0.13:2379")
    if parts.scheme == "http" and not address.is_loopback:
        raise ValueError(f"endpoints: {url!r} would send the password as it is; write https")


def _check_within(key: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # NaN is not
        raise ValueError(f"{key}: {value!r} is not within {least:g} and {most:g}")


def _check_once(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{kind} {name} is there twice")
