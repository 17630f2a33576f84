"""One owner of each guest's disk: in, who asks under which epoch; out, nobody else may write, then he may.

The contract is model/README.md's, F1 to F6. Any call may be broken off anywhere and be made again.
"""

import os
import syslog
import time
from pathlib import Path
from typing import Final

from fence import nfs, record, views
from fence.errors import Failed, Refused
from fence.locks import locked
from fence.record import Record
from fence.settings import Settings

_TRY_AGAIN_S: Final = 0.02


def give(settings: Settings, guest: str, host: str, epoch: int) -> None:
    """Let `host` write, and nobody else; raises Refused under an old epoch, Failed where that is not certain."""
    with locked(_lock_path(settings, guest), settings.limit_s) as lock:
        _judge(guest, record.read(settings.state_path, guest), Record(host, epoch))
        record.write(settings.state_path, guest, Record(host, epoch))
        _enforce(settings, guest, host, lock)
    syslog.syslog(syslog.LOG_NOTICE, f"{guest}: {host} owns the disk, epoch {epoch}")


def forget(settings: Settings, guest: str, epoch: int) -> None:
    """Let nobody write, and any epoch come: for an operator whose etcd has lost its data (F6)."""
    with locked(_lock_path(settings, guest), settings.limit_s) as lock:
        known = record.read(settings.state_path, guest)
        if known is not None:
            if known.epoch != epoch:
                raise Refused(f"{guest} has epoch {known.epoch}, not {epoch}: see whether it runs on {known.host}")
            _refuse_if_written(settings, guest, lock)
        record.remove(settings.state_path, guest)
        nfs.export(settings, guest, None, lock)
    syslog.syslog(syslog.LOG_WARNING, f"{guest}: nobody owns the disk, epoch {epoch} is forgotten")


def restore(settings: Settings) -> None:
    """Put in force what is written down, before nfsd serves anybody (F4); raises Failed at the end, for any guest."""
    failures = []
    for guest in settings.guests:
        try:
            _restore(settings, guest)
        except (Failed, OSError) as failure:  # the others are to be served all the same
            failures.append(f"{guest}: {failure}")
    if failures:
        raise Failed("; ".join(failures))


def show(settings: Settings, guest: str) -> dict[str, object]:
    """What is written down, and whom the kernel and the exports let write."""
    known = record.read(settings.state_path, guest)
    writable = [host for host in _viewers(settings, guest) if views.is_writable(settings.view(host, guest))]
    exported = sorted(nfs.exported_writable(settings, guest))
    return {
        "host": known and known.host,
        "epoch": known and known.epoch,
        "writable": writable,
        "exported_writable": exported,
    }


def _judge(guest: str, known: Record | None, asked: Record) -> None:
    if known is None or asked.epoch > known.epoch or asked == known:
        return
    if asked.epoch == known.epoch:
        alarm = f"{guest}: {asked.host} and {known.host} both call under epoch {asked.epoch}"
        syslog.syslog(syslog.LOG_ALERT, alarm)
        raise Refused(alarm)
    raise Refused(f"{guest}: epoch {asked.epoch} is over, {known.host} has called under {known.epoch}")


def _enforce(settings: Settings, guest: str, owner: str | None, lock: int) -> None:
    """Losers first; the owner's own access is never touched on the way: its guest may stand there, paused."""
    nfs.export(settings, guest, owner, lock)
    for host in _viewers(settings, guest):
        if host != owner:
            _withdraw(settings, guest, host, lock)
    _make_durable(settings, guest)
    if owner is not None:
        views.unprotect(settings.view(owner, guest), lock)
    shown = show(settings, guest)
    if not (shown["writable"] == shown["exported_writable"] == ([] if owner is None else [owner])):
        raise Failed(f"{guest}: not as it should be after all was done: {shown}")


def _withdraw(settings: Settings, guest: str, host: str, lock: int) -> None:
    """Cut the host off, until nothing of it is open or under way: it may come back between, but only to read.

    Where it could not write anyway, its guests, which are cut off with it, are left alone.
    """
    view, failure = settings.view(host, guest), ""
    deadline_s = time.monotonic() + settings.limit_s
    while views.is_writable(view):
        if time.monotonic() > deadline_s:
            raise Failed(f"{guest}: {host} still writes after {settings.limit_s:g} s{failure}")
        if host in settings.hosts:
            nfs.cut(settings, host)
        try:
            views.protect(view, lock)
        except Failed as error:
            failure = f": {error}"
            time.sleep(_TRY_AGAIN_S)


def _make_durable(settings: Settings, guest: str) -> None:
    """What the losers have written and not synced: the next owner may read it, so it must not get lost."""
    for path in (settings.images_path / guest).iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _refuse_if_written(settings: Settings, guest: str, lock: int) -> None:
    """All hosts: a call that was broken off may have left the former owner as it was."""
    for host in _viewers(settings, guest):
        try:
            views.protect(settings.view(host, guest), lock)
        except Failed as failure:
            raise Refused(f"{guest}: {host} has the disk open to write it, end the guest there: {failure}") from failure


def _restore(settings: Settings, guest: str) -> None:
    with locked(_lock_path(settings, guest), settings.limit_s) as lock:
        for host in settings.hosts:
            views.make(settings.images_path / guest, settings.view(host, guest), lock)
        try:
            known = record.read(settings.state_path, guest)
        except Failed:
            _enforce(settings, guest, None, lock)
            raise
        owner = known.host if known and known.host in settings.hosts else None
        _enforce(settings, guest, owner, lock)


def _viewers(settings: Settings, guest: str) -> list[str]:
    """Also hosts that are not in the configuration any more, and have what they had."""
    return sorted({view.parent.name for view in settings.views_path.glob(f"*/{guest}")})


def _lock_path(settings: Settings, guest: str) -> Path:
    return settings.state_path / f"{guest}.lock"
