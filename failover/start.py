"""The start of a guest that is nowhere (A1): in, its name; out, it runs here, under a lease, with its disk."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from failover import draining, events, fence_command, guard_store, presence, primary, processes, xl
from failover.caller import Unreachable
from failover.etcd import Etcd
from failover.guard_store import Armed
from failover.lease import Lease, Unknown
from failover.lease_record import Record
from failover.primary import ActError
from failover.settings import DomainSettings, RemusSettings
from failover.tenure import Tenure

_log = logging.getLogger(__name__)

_PRIORITY: Final = 20
"""As hefery-guard@.service has it."""
_ASK_LIMIT_S: Final = 5.0
_ARM_LIMIT_S: Final = 5.0
_LOOK_S: Final = 0.05


def run(settings: RemusSettings, domain: DomainSettings, *, is_peer_off: bool = False) -> int:
    """Start it, unless it is here already; raises ActError, FailoverError. `is_peer_off` is an operator's word."""
    name, began_s = domain.name, time.monotonic()
    with primary.alone(settings, domain):
        was_here = bool(presence.here(name).guest)
        epoch = 0 if was_here else _start(settings, domain, is_peer_off=is_peer_off)
        state = presence.here(name).guest
    if not was_here:
        events.tell("created", name, f"it was started here, epoch {epoch}")
    evidence = {"domain": name, "host": settings.host.name, "was_here": was_here, "epoch": epoch, "state": state}
    primary.tell({"act": "start", **evidence, "seconds": round(time.monotonic() - began_s, 3)})
    return 0


def _start(settings: RemusSettings, domain: DomainSettings, *, is_peer_off: bool) -> int:
    if settings.lease is None:
        raise ActError(f"nothing says who may run {domain.name}: there is no [lease] in the configuration")
    if guard_store.current(settings.host.run_dir, domain.name) is None:
        raise ActError(f"the guard of {domain.name} is not awake: start hefery-guard@{domain.name} first")
    with Etcd(settings.lease) as etcd:
        lease = Lease(etcd, domain.name, settings.host.name, settings.lease.ttl_s)
        before = _looked_at(lease)
        _check_nowhere(settings, domain, is_peer_off=is_peer_off)
        tenure = Tenure(lease, fence_command.of(settings, domain.name), settings.lease)
        try:
            with _in_real_time():
                tenure.win()
                _check_same(before, lease.seen)
                tenure.fence()
                tenure.take()
                _create(settings, domain.name, tenure)
        except BaseException:
            tenure.end()
            raise
        xl.unpause(domain.name)
    return tenure.epoch


@contextmanager
def _in_real_time() -> Iterator[None]:
    """Renew in time, too, on a host that is busy with other guests: a creation takes an emulated one a minute then."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    except PermissionError as error:
        _log.warning("the lease may not be renewed in time where this host is busy: %s", error)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def _looked_at(lease: Lease) -> Record:
    if isinstance(answer := lease.look_within(_ASK_LIMIT_S), Unknown):
        raise ActError(f"the lease server does not answer: {answer.reason}")
    return answer


def _check_nowhere(settings: RemusSettings, domain: DomainSettings, *, is_peer_off: bool) -> None:
    name, peer = domain.name, settings.peer_of(domain).name
    draining.check(name)
    seen = {settings.host.name: presence.here(name)}
    try:
        seen[peer] = presence.at_peer(settings, domain)
    except Unreachable as error:
        if not is_peer_off:
            raise ActError(f"{error}; {name} may be there: where {peer} is off for sure, add --peer-is-off") from error
    for host, found in seen.items():
        if found.guest:
            raise ActError(f"{name} is on {host} already, state {found.guest}")
        if found.copy:
            raise ActError(
                f"a copy of {name} is on {host}: it takes over by itself, if it is the backup; where nobody wants it, "
                f"hefery-remus clean --domain {name} there ends it"
            )


def _check_same(before: Record, seen: Record) -> None:
    """Both hosts were asked after the first look: what was written meanwhile they could not know."""
    if (before.noted, before.runner) != (seen.noted, seen.runner):
        raise ActError(f"the guest has become {seen.runner}'s meanwhile")


def _create(settings: RemusSettings, name: str, tenure: Tenure) -> None:
    """Nothing of it is left where that fails; what came here otherwise is not touched."""
    if name in tenure.during(xl.domains):
        raise ActError(f"{name} was brought here meanwhile by another's hand: see xl list")
    try:
        _create_guarded(settings, name, tenure)
    except BaseException:
        if name in xl.domains():
            xl.destroy(name)
        raise


def _create_guarded(settings: RemusSettings, name: str, tenure: Tenure) -> None:
    """Create it paused, and have this host's guard go on with the lease."""
    tenure.during(partial(xl.create_paused, name))
    number = tenure.during(xl.domains)[name].number
    tenure.renew()
    guard_store.arm(settings.host.run_dir, name, Armed(number, tenure.epoch, tenure.deadline_ns))

    def is_guarded() -> bool:
        told = guard_store.current(settings.host.run_dir, name)
        return told is not None and told.number == number and told.epoch >= tenure.epoch

    if not processes.wait_until(is_guarded, _ARM_LIMIT_S, _LOOK_S):
        raise ActError(f"the guard of {name} does not go on with its lease: see its journal")
