"""What lease, record, guard and fence say of each guest (A6): in, the settings; out, all of it, and what disagrees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from failover import fence_command, guard_store, lease_show
from failover.fence_command import Owner
from failover.guard_store import Told
from failover.lease import Unknown
from failover.lease_settings import LeaseSettings
from failover.lease_show import Shown
from failover.settings import RemusSettings


@dataclass(frozen=True)
class Seen:
    """One guest, from one host."""

    host: str
    is_here: bool
    is_replicating: bool
    shown: Shown
    told: Told | None
    """What the guard here says; None where it is not awake."""
    owner: Owner | Unknown | None
    """None where there is no fence."""


@dataclass(frozen=True)
class LeaseStatus:
    """The same for people and playbooks; `problems` is empty where all is well, or the guest is nowhere."""

    guest: str
    holder: str | None
    epoch: int | None
    is_held: bool | None
    is_renewed: bool | None
    runner: str | None
    backup: str | None
    disk_owner: str | None
    disk_epoch: int | None
    guard: str | None
    problems: tuple[str, ...]


def read(settings: RemusSettings, at: LeaseSettings, here: Mapping[str, bool]) -> list[LeaseStatus]:
    """Of each guest; `here` tells of those that are here whether they are replicated. Raises FailoverError."""
    return [
        _status(
            Seen(
                settings.host.name,
                shown.guest in here,
                here.get(shown.guest, False),
                shown,
                guard_store.current(settings.host.run_dir, shown.guest),
                _owner(settings, shown.guest),
            )
        )
        for shown in lease_show.read(settings, at)
    ]


def problems(seen: Seen) -> Iterator[str]:
    """What is not known, and where any two disagree."""
    shown, told = seen.shown, seen.told
    if shown.problem:
        yield f"the lease server does not tell: {shown.problem}"
    else:
        yield from _of_host(seen)
        yield from _of_fence(seen)
    if told is None:
        yield "its guard here is not awake"
    elif told.is_paused:
        yield f"its guard has paused it: {told.reason}"


def lines(status: LeaseStatus) -> list[str]:
    """For people."""
    disk = f", its disk {status.disk_owner or 'nobody'}'s" if status.disk_owner is not None else ""
    held = f"lease {status.holder}'s, epoch {status.epoch}" if status.is_held else "lease free"
    backup = ", with a backup" if status.backup else ", WITHOUT A BACKUP"
    runner = f"the guest is {status.runner}'s{backup}" if status.runner else "the guest is nobody's yet"
    return [f"{status.guest}: {held}; {runner}{disk}", *(f"{status.guest}: PROBLEM: {one}" for one in status.problems)]


def _of_host(seen: Seen) -> Iterator[str]:
    shown = seen.shown
    is_holder, is_runner = shown.is_held and shown.holder == seen.host, shown.runner == seen.host
    if seen.is_here and not is_holder:
        yield f"it is here, and its lease is {f'held by {shown.holder}' if shown.is_held else 'free'}"
    if seen.is_here and not is_runner:
        yield f"it is here, and the record says that it is {shown.runner or 'nobody'}'s"
    if not seen.is_here and is_runner:
        yield "it is not here, and the record says that it is: hefery-remus start, here or on the other host"
    if shown.is_held and not shown.is_renewed:
        yield f"{shown.holder} does not renew its lease"
    if seen.is_here and shown.backup and not seen.is_replicating:
        yield "the record tells of a backup, and nothing is replicated"


def _of_fence(seen: Seen) -> Iterator[str]:
    shown, owner = seen.shown, seen.owner
    if isinstance(owner, Unknown):
        yield f"the fence does not answer: {owner.reason}"
    elif owner is not None and shown.is_held and owner != Owner(shown.holder or "", shown.epoch or 0):
        whose = f"{owner.host}'s, epoch {owner.epoch}" if owner.host else "nobody's"
        yield f"its disk is {whose}, its lease {shown.holder}'s, epoch {shown.epoch}"


def _owner(settings: RemusSettings, guest: str) -> Owner | Unknown | None:
    if settings.fence is None:
        return None
    return fence_command.command_of(settings, settings.fence, guest).owner()


def _status(seen: Seen) -> LeaseStatus:
    shown, owner = seen.shown, seen.owner if isinstance(seen.owner, Owner) else None
    return LeaseStatus(
        guest=shown.guest,
        holder=shown.holder,
        epoch=shown.epoch,
        is_held=shown.is_held,
        is_renewed=shown.is_renewed,
        runner=shown.runner,
        backup=shown.backup,
        disk_owner=owner.host if owner else None,
        disk_epoch=owner.epoch if owner else None,
        guard=seen.told.reason if seen.told else None,
        problems=tuple(problems(seen)),
    )
