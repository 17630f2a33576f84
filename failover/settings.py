"""The configuration of replication: in, remus.toml; out, frozen and checked settings, every default with its reason."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from telemetry.settings import FilePath, Section

_WORD = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$"
"""Names become file names and words of command lines."""

Name = Annotated[str, Field(pattern=_WORD, max_length=64)]
Port = Annotated[int, Field(ge=1, le=65535)]


class HostSettings(Section):
    """This host."""

    name: Name = Field(description="Its name among the peers.")
    run_dir: FilePath = Field(default=Path("/run/hefery"), description="What holds until the next boot.")


class HeartbeatSettings(Section):
    """Signs of life between all hosts, by UDP."""

    port: Port = Field(default=7761, description="Where every host listens; nobody may listen on this TCP port.")
    address: str = Field(default="", description="Address to listen on, all of them by default.")
    period_s: float = Field(default=0.1, ge=0.01, le=1.0, description="Ten may be lost before a takeover.")
    timeout_s: float = Field(
        default=1.0, ge=0.2, le=60, description="Silence of a peer that means its death: it adds to every failover."
    )
    key_file: FilePath = Field(
        default=Path("/etc/hefery/heartbeat.key"),
        description="Secret (0600) that all hosts share: without it nobody can order, or fake a sign of life.",
    )

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.timeout_s < 3 * self.period_s:
            raise ValueError("timeout_s must be at least 3 * period_s, or one lost datagram would be a failover")
        return self


class PeerSettings(Section):
    """Another host."""

    name: Name = Field(description="Its [host] name.")
    address: str = Field(min_length=1, description="Its IPv4 address or name, on the link that replicates.")


class ReceiverSettings(Section):
    """Where copies are received; systemd listens."""

    port: Port = Field(default=7760, description="TCP port of every host's receiver, for transport tcp.")
    address: str = Field(default="", description="Address that systemd listens on; the socket unit has it too.")
    socket: FilePath = Field(
        default=Path("/run/hefery/receive.sock"), description="Unix socket of the receiver, for transport ssh."
    )
    stall_timeout_s: float = Field(
        default=5.0,
        ge=1,
        le=60,
        description="A stream that moves nothing for so long is given up: the guest stands still meanwhile.",
    )


class DomainSettings(Section):
    """A guest that two hosts replicate between them."""

    name: Name = Field(description="The domain's name in Xen.")
    peers: Annotated[tuple[Name, Name], Field(strict=False)] = Field(description="The two hosts.")
    transport: Literal["tcp", "ssh"] = Field(
        default="ssh", description="tcp only on a link of its own: the guest's memory goes over it as it is."
    )
    ssh_key: FilePath | None = Field(default=None, description="Private key for ssh; ssh's own choice by default.")
    ssh_known_hosts: FilePath = Field(
        default=Path("/etc/hefery/known_hosts"), description="The peers' host keys; no other host is spoken to."
    )
    ssh_user: str = Field(default="root", min_length=1, description="User on the peer, whose key forces a command.")

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if self.peers[0] == self.peers[1]:
            raise ValueError(f"peers names {self.peers[0]} twice; name the two hosts that replicate {self.name}")
        if self.name.endswith(INCOMING):
            raise ValueError(f"{self.name}: xl gives names that end in {INCOMING} to copies; rename the domain")
        return self


INCOMING = "--incoming"
"""Ends the name of a copy until it is woken (xl_migrate.c)."""


class RemusSettings(Section):
    """The file remus.toml."""

    host: HostSettings
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    receiver: ReceiverSettings = ReceiverSettings()
    peers: Annotated[tuple[PeerSettings, ...], Field(strict=False)] = ()
    domains: Annotated[tuple[DomainSettings, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        hosts = [self.host.name, *(peer.name for peer in self.peers)]
        names = [domain.name for domain in self.domains]
        for kind, listed in (("host", hosts), ("domain", names)):
            if twice := {name for name in listed if listed.count(name) > 1}:
                raise ValueError(f"{kind} {min(twice)} is there twice")
        for domain in self.domains:
            if unknown := set(domain.peers) - set(hosts):
                raise ValueError(f"domain {domain.name}: {min(unknown)} is neither [host] nor one of [[peers]]")
            if self.host.name not in domain.peers:
                raise ValueError(f"domain {domain.name}: {self.host.name}, this host, is not one of its peers")
        return self

    def domain(self, name: str) -> DomainSettings:
        """The domain of this name; raises KeyError."""
        return next((domain for domain in self.domains if domain.name == name), None) or _missing(name)

    def peer_of(self, domain: DomainSettings) -> PeerSettings:
        """The other host of a domain."""
        name = next(name for name in domain.peers if name != self.host.name)
        return next(peer for peer in self.peers if peer.name == name)


def _missing(name: str) -> DomainSettings:
    raise KeyError(name)
