"""The landscape under trial, frozen: in, a lab; out, what the playbooks make of it, and snapshots of it.

A guest that crashes meanwhile is told of and made anew: a snapshot of it is of no use to any trial.
"""

import time
from pathlib import Path
from typing import Final

from lab import actions
from lab.errors import LabError
from lab.processes import wait
from lab.progress import say
from lab.trials import evidence, playbooks
from lab.trials.site import Site
from telemetry.revision import commit

_PROTECTED_S: Final = 120
_WITHOUT_AGENT: Final = """\
mkdir -p /run/systemd/system/hefery-agent.service.d
printf '[Unit]\\nConditionPathExists=!/run\\n' >/run/systemd/system/hefery-agent.service.d/trials.conf
systemctl daemon-reload && systemctl stop hefery-agent"""
"""A replication that begins wants the agent: it would take the reports away from the probe."""
_WITH_AGENT: Final = """\
rm /run/systemd/system/hefery-agent.service.d/trials.conf
systemctl daemon-reload && systemctl start hefery-agent"""
_GIVEN_UP_S: Final = 4
_TRIES: Final = 3


def converge(site: Site, *words: str) -> None:
    """Have the playbooks, told `words`, make the landscape, and take the snapshots. Raises LabError."""
    playbooks.insist("site.yml", site.lab.state / "converge.json", *words)
    freeze(site, *words)


def freeze(site: Site, *words: str) -> None:
    """Take the snapshots of a landscape that has converged, and leave it protected. Raises LabError."""
    forget(site)
    for _ in range(_TRIES):
        _protect(site, *words)
        actions.snapshot(site.lab, "protected")
        site.run(site.guest.primary, _WITHOUT_AGENT, timeout_s=180)
        actions.snapshot(site.lab, "probed")
        if _is_received(site) and not _has_crashed(site):
            break
        if _has_crashed(site):
            _recreate(site)
        else:
            say("replication ended while the snapshots were taken, as where this machine is too busy: once more")
        site.run(site.guest.primary, _WITH_AGENT, timeout_s=180)
    else:
        raise LabError(f"replication ends each time while snapshots are taken: journalctl -u {site.guest.unit} on a")
    site.run(site.guest.primary, f"systemctl stop {site.guest.unit}", timeout_s=180)
    actions.snapshot(site.lab, "unprotected")
    _mark(site).write_text(commit())
    actions.restore(site.lab, "protected")
    say("the snapshots that trials begin from are taken")


def _protect(site: Site, *words: str) -> None:
    playbooks.insist("playbooks/protect.yml", site.lab.state / "protect.json", *words)
    if not wait(site.has_backup, _PROTECTED_S, every_s=1):
        unit = site.guest.unit
        raise LabError(f"{site.guest.name} is not protected {_PROTECTED_S} s after site.yml: journalctl -u {unit} on a")


def _is_received(site: Site) -> bool:
    """Whether the backup still has the copy; one that replication has left is given up within moments."""
    name, backup = site.guest.name, site.guest.backup
    time.sleep(_GIVEN_UP_S)
    return site.copies((backup,)) == {backup.name: [f"{name}--incoming"]}


def _has_crashed(site: Site) -> bool:
    """Whether Xen says so: a snapshot of a guest that has crashed is of no use."""
    listed = site.run(site.guest.primary, f"xl list {site.guest.name}").split()
    return "c" in listed[-2]


def _recreate(site: Site) -> None:
    """A guest that has crashed, as one has done in the middle of the snapshots; its last words are kept."""
    name, folder = site.guest.name, site.lab.state / f"crashed-{time.time_ns()}"
    folder.mkdir()
    evidence.collect(site.lab, folder)
    say(f"{name} HAS CRASHED while the snapshots were taken (see {folder}): it is created anew, and they are once more")
    start = f"hefery-remus start --domain {name}" if site.has_lease() else f"xl create -q /etc/xen/{name}.cfg"
    anew = f"systemctl stop {site.guest.unit}; xl destroy {name} && {start}"
    site.run(site.guest.primary, anew, timeout_s=300)


def is_frozen(site: Site) -> bool:
    """Whether there are snapshots of what this commit makes."""
    return _mark(site).exists() and _mark(site).read_text() == commit()


def forget(site: Site) -> None:
    """The snapshots are of no use any more."""
    _mark(site).unlink(missing_ok=True)


def _mark(site: Site) -> Path:
    return site.lab.state / "trials"
