"""Where trials begin: in, a lab in any state; out, the protected pair in a known one, from a snapshot."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Literal

from lab import actions
from lab.errors import LabError
from lab.processes import wait
from lab.progress import say
from lab.trials import playbooks
from lab.trials.part import Outcome, Session, Trial, Turn
from lab.trials.site import Site
from telemetry.revision import commit

Base = Literal["protected", "probed", "unprotected"]
"""protected: all of it runs; probed: the primary's agent is stopped, so that a probe can take its place; unprotected:
and replication, too, in the safe order."""

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


def begin(site: Site, base: Base) -> None:
    """Have the pair in this state; makes the snapshots where this commit has none. Raises LabError."""
    if _made_for(site) != commit():
        actions.up(site.lab)
        converge(site)
    actions.restore(site.lab, base)


def once(base: Base, trial: Callable[[Site, Turn], Outcome]) -> Session:
    """A session that has the pair in this state once, before its first trial."""

    @contextmanager
    def session(site: Site) -> Iterator[Trial]:
        begin(site, base)
        yield partial(trial, site)

    return session


def each_time(base: Base, trial: Callable[[Site, Turn], Outcome]) -> Session:
    """A session that has the pair in this state before each trial."""

    def begun(site: Site, turn: Turn) -> Outcome:
        begin(site, base)
        return trial(site, turn)

    @contextmanager
    def session(site: Site) -> Iterator[Trial]:
        yield partial(begun, site)

    return session


def converge(site: Site) -> None:
    """Have the playbooks make the landscape, and take the snapshots. Raises LabError."""
    log = site.lab.state / "converge.json"
    counts = playbooks.play("site.yml", log)
    if counts.broken:
        raise LabError(f"site.yml failed, see {log}: {'; '.join(counts.tasks[:3])}")
    freeze(site)


def freeze(site: Site) -> None:
    """Take the snapshots of a landscape that has converged, and leave it protected. Raises LabError."""
    _mark(site).unlink(missing_ok=True)
    for _ in range(_TRIES):
        _protect(site)
        actions.snapshot(site.lab, "protected")
        site.run(site.guest.primary, _WITHOUT_AGENT, timeout_s=180)
        actions.snapshot(site.lab, "probed")
        if _is_received(site):
            break
        say("replication ended while the snapshots were taken, as where this machine is too busy: once more")
        site.run(site.guest.primary, _WITH_AGENT, timeout_s=180)
    else:
        raise LabError(f"replication ends each time while snapshots are taken: journalctl -u {site.guest.unit} on a")
    site.run(site.guest.primary, f"systemctl stop {site.guest.unit}", timeout_s=180)
    actions.snapshot(site.lab, "unprotected")
    _mark(site).write_text(commit())
    actions.restore(site.lab, "protected")
    say("the snapshots that trials begin from are taken")


def _protect(site: Site) -> None:
    log = site.lab.state / "protect.json"
    protected = playbooks.play("playbooks/protect.yml", log)
    if protected.broken:
        raise LabError(f"protect.yml failed, see {log}: {'; '.join(protected.tasks[:3])}")
    if not wait(lambda: is_protected(site), _PROTECTED_S, every_s=1):
        unit = site.guest.unit
        raise LabError(f"{site.guest.name} is not protected {_PROTECTED_S} s after site.yml: journalctl -u {unit} on a")


def _is_received(site: Site) -> bool:
    """Whether the backup still has the copy; one that replication has left is given up within moments."""
    name, backup = site.guest.name, site.guest.backup
    time.sleep(_GIVEN_UP_S)
    return site.copies((backup,)) == {backup.name: [f"{name}--incoming"]}


def forget(site: Site) -> None:
    """The snapshots are of no use any more."""
    _mark(site).unlink(missing_ok=True)


def is_protected(site: Site) -> bool:
    """Whether the agent on the primary says that checkpoints keep coming."""
    return site.replication().get("protected") is True


def _made_for(site: Site) -> str:
    return _mark(site).read_text() if _mark(site).exists() else ""


def _mark(site: Site) -> Path:
    return site.lab.state / "trials"
