"""How replication stands on this host: in, the settings; out, domains, copies and peers, as JSON or lines."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal

from failover import backup, copies, let_out, peer, processes, pulse, refusing, xl
from failover.settings import INCOMING, DomainSettings, RemusSettings
from telemetry.units import NS_PER_MS

_UNPROTECTED: Final = 3

Role = Literal["running", "incoming", "absent"]


@dataclass(frozen=True)
class DomainStatus:
    """A domain as this host sees it; `protected` is None where it does not run here."""

    name: str
    role: Role
    state: str
    replicating: bool
    protected: bool | None
    peer: str
    output_held: bool
    """While it is replicated, or, where that has ended, until no copy may take over."""


@dataclass(frozen=True)
class CopyStatus:
    """A copy that is received here; nobody decides on one that is not attended."""

    domain: str
    host: str
    phase: str
    attended: bool


@dataclass(frozen=True)
class PeerStatus:
    """A peer; times are None for never in this boot."""

    peer: str
    silent_ms: int | None
    """Since its last heartbeat."""
    answered_ms: int | None
    """Since its kernel answered, which is asked only where heartbeats stay away."""


@dataclass(frozen=True)
class Status:
    """All of it."""

    host: str
    domains: tuple[DomainStatus, ...]
    receivers: tuple[CopyStatus, ...]
    heartbeats: tuple[PeerStatus, ...]

    @property
    def is_well(self) -> bool:
        """Whether every domain that runs here is protected."""
        return all(domain.protected is not False for domain in self.domains)


def run(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    """Print it; 3 where a domain runs here unprotected, or where lease, record, guard and fence disagree."""
    seen = read(settings)
    document, text, is_well = asdict(seen), lines(seen), seen.is_well
    if settings.lease is not None:
        from failover import lease_status  # noqa: PLC0415 - what speaks to etcd takes an emulated host seconds to import

        here = {domain.name: domain.replicating for domain in seen.domains if domain.role == "running"}
        leases = lease_status.read(settings, settings.lease, here)
        document["leases"] = [asdict(lease) for lease in leases]
        text += [line for lease in leases for line in lease_status.lines(lease)]
        is_well = is_well and not any(lease.problems for lease in leases)
    if refusing.is_on(settings.host.run_dir):
        document["in_maintenance"] = True
        text.append("this host is in maintenance: it takes no copies until `maintenance --end`, or until it boots")
    print(json.dumps(document) if arguments.json else "\n".join(text))
    return 0 if is_well else _UNPROTECTED


def read(settings: RemusSettings) -> Status:
    """Ask xl, the receivers' records and the heartbeat daemon; raises XlError or CopyError."""
    there = xl.domains_if_any()
    run_dir = settings.host.run_dir
    return Status(
        settings.host.name,
        tuple(_domain(settings, domain, there) for domain in settings.domains),
        tuple(
            CopyStatus(record.domain, record.host, record.phase, record.is_attended)
            for record in copies.all_records(run_dir)
            if record.phase != "running"  # then it is no copy any more
        ),
        tuple(_peer(settings, other.name) for other in settings.peers),
    )


def lines(status: Status) -> list[str]:
    """The same for people."""
    domains = [
        f"{d.name}: {d.role} {d.state}{', protected by ' + d.peer if d.protected else ''}"
        + (
            ", UNPROTECTED" + (" (the first copy is on its way)" if d.replicating else "")
            if d.protected is False
            else ""
        )
        + ((", output held" if d.replicating else ", WHAT IT HAS SENT IS HELD") if d.output_held else "")
        for d in status.domains
    ]
    received = [
        f"{c.domain}: copy of {c.host}, {c.phase}{'' if c.attended else ', NOBODY ATTENDS IT'}"
        for c in status.receivers
    ]
    peers = [
        f"{p.peer}: {'never heard' if p.silent_ms is None else f'heard {p.silent_ms} ms ago'}"
        for p in status.heartbeats
    ]
    return [*domains, *received, *peers]


def _domain(settings: RemusSettings, domain: DomainSettings, there: Mapping[str, xl.Domain]) -> DomainStatus:
    other = settings.peer_of(domain).name
    role: Role = "running" if domain.name in there else "incoming" if domain.name + INCOMING in there else "absent"
    found = there.get(domain.name) or there.get(domain.name + INCOMING)
    replicating = role == "running" and bool(processes.remus_of(domain.name))
    is_protected = replicating and _holds(settings, other, domain.name) and backup.is_named(settings, domain.name)
    protected = is_protected if role == "running" else None
    is_held = let_out.is_held(settings.host.run_dir, domain.name)
    return DomainStatus(domain.name, role, found.state if found else "", replicating, protected, other, is_held)


def _holds(settings: RemusSettings, other: str, domain: str) -> bool:
    """Whether the peer says that it has a whole copy, and has said anything just now."""
    silent_ms = _peer(settings, other).silent_ms
    is_heard = silent_ms is not None and silent_ms < settings.heartbeat.timeout_s * 1000
    return is_heard and domain in peer.copies_held(settings.host.run_dir, other)


def _peer(settings: RemusSettings, name: str) -> PeerStatus:
    known = pulse.read(pulse.path(settings.host.run_dir, name)) or pulse.NEVER
    return PeerStatus(name, _age_ms(known.heard_ns), _age_ms(known.answered_ns))


def _age_ms(then_ns: int) -> int | None:
    return (time.monotonic_ns() - then_ns) // NS_PER_MS if then_ns else None
