"""Who holds which lease: in, the settings; out, every guest's holder and epoch, as JSON or lines."""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from typing import Final

from failover.etcd import Etcd
from failover.lease import Lease, Unknown
from failover.lease_record import Record
from failover.lease_settings import LeaseSettings
from failover.settings import RemusSettings

_ASK_LIMIT_S: Final = 5.0


@dataclass(frozen=True)
class Shown:
    """A guest's lease; holder and epoch are the last ones where `is_held` is false. None where nobody can tell."""

    guest: str
    holder: str | None = None
    epoch: int | None = None
    is_held: bool | None = None
    is_renewed: bool | None = None
    """Whether it was renewed within two periods."""
    runner: str | None = None
    """The host whose copy is the guest."""
    backup: str | None = None
    """The mark of the other host's copy, where that may become the guest."""
    problem: str = ""


def run(settings: RemusSettings, arguments: argparse.Namespace) -> int:
    """Print them; 1 where any cannot be told, or where there is no [lease]."""
    if settings.lease is None:
        print(f"{arguments.config}: has no [lease]: no lease decides here who may run a guest")
        return 1
    shown = read(settings, settings.lease)
    print(json.dumps([asdict(one) for one in shown]) if arguments.json else "\n".join(map(line, shown)))
    return 1 if any(one.problem for one in shown) else 0


def read(settings: RemusSettings, at: LeaseSettings) -> list[Shown]:
    """Look twice, two periods apart; raises FailoverError where files of [lease] cannot be used."""
    with Etcd(at) as etcd:
        leases = {domain.name: Lease(etcd, domain.name, settings.host.name, at.ttl_s) for domain in settings.domains}
        deadline_s = time.monotonic() + _ASK_LIMIT_S  # for all: where one guest's is silent the others' are, as a rule
        before = {guest: lease.look_within(deadline_s - time.monotonic()) for guest, lease in leases.items()}
        if any(isinstance(record, Record) and record.is_held for record in before.values()):
            time.sleep(2 * at.renew_s)
        return [_shown(guest, before[guest], lease.look()) for guest, lease in leases.items()]


def line(shown: Shown) -> str:
    """The same for people."""
    if shown.problem:
        return f"{shown.guest}: UNKNOWN: {shown.problem}"
    if not shown.epoch:
        return f"{shown.guest}: free, never held"
    last = f"held by {shown.holder}" + ("" if shown.is_renewed else ", NOT RENEWED")
    lease = last if shown.is_held else f"free, last held by {shown.holder}"
    guest = f"; the guest is {shown.runner}'s{', with a backup' if shown.backup else ''}" if shown.runner else ""
    return f"{shown.guest}: {lease}, epoch {shown.epoch}{guest}"


def _shown(guest: str, before: Record | Unknown, now: Record | Unknown) -> Shown:
    if isinstance(now, Unknown):
        return Shown(guest, problem=now.reason)
    is_renewed = (now.beat > before.beat if isinstance(before, Record) else None) if now.is_held else False
    return Shown(guest, now.holder, now.epoch, now.is_held, is_renewed, now.runner, now.backup)
