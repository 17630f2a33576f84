"""Where it is decided who may run a guest, and who may write its disk: in, two tables of remus.toml; out, settings."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from failover import checks
from telemetry.units import NS_PER_S

LONGEST_TTL_S: Final = 60.0
_LONGEST_FENCE_S: Final = 30.0
_MOST_PAUSE_SHARE: Final = 0.8
"""A clock that chrony slews may go 8 % wrong (its default maxslewrate), and so may another the other way."""


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
        checks.within("ttl_s", self.ttl_s, 0.5, LONGEST_TTL_S)
        checks.within("renew_s", self.renew_s, 0.05, LONGEST_TTL_S)
        checks.within("call_timeout_s", self.call_timeout_s, 0.02, LONGEST_TTL_S)
        if self.renew_s * 3 > self.ttl_s:
            raise ValueError("ttl_s: must be at least 3 * renew_s, or one lost renewal would stop the guest")
        checks.within("pause_share", self.pause_share, 0.5, _MOST_PAUSE_SHARE)
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
class FenceSettings:
    """What keeps all hosts but one from writing a guest's disk; without it a host that was frozen may still write."""

    command: tuple[str, ...]
    """Its words come before `give GUEST HOST EPOCH` or `show GUEST`; what it answers is in roles/fence/README.md."""
    limit_s: float = 5.0
    """For one call, which is ended then, and made again."""
    serve: tuple[str, ...] = ()
    """Begins a session in which all calls of this host are made; none: each call starts `command`."""

    def __post_init__(self) -> None:
        if not self.command or not all(self.command):
            raise ValueError('command: has no words; name a program, such as ["ssh", "fence"]')
        checks.within("limit_s", self.limit_s, 0.1, _LONGEST_FENCE_S)


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
