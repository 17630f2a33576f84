"""Where trials of the lease begin: in, a lab in any state; out, the pair under lease in a known one, by a snapshot."""

from typing import Final, Literal

from lab import actions
from lab.errors import LabError
from lab.processes import wait
from lab.progress import say
from lab.trials import freeze, playbooks, special
from lab.trials.site import Site

State = Literal["leased", "leased-alone"]
"""leased: protected, the primary's agent stopped, so that a probe can take its place; leased-alone: not replicated."""
WORDS: Final = ("-e", "remus_lease=true")
"""What a playbook is told here."""
_KIND: Final = "leased"
_PROTECTED_S: Final = 120
_TRIES: Final = 3


def begin(site: Site, state: State) -> None:
    """Have the pair in this state; makes landscape and snapshots where this commit has none. Raises LabError."""
    if not special.is_made(site.lab, _KIND):
        _make(site)
    actions.restore(site.lab, state)


def _make(site: Site) -> None:
    special.begin(site.lab, _KIND)
    playbooks.insist("site.yml", site.lab.state / "converge.json", *WORDS)
    freeze_leased(site)


def freeze_leased(site: Site) -> None:
    """Take the snapshots of a landscape that has converged. Raises LabError."""
    site.run(site.guest.primary, freeze.WITHOUT_AGENT, timeout_s=180)
    for _ in range(_TRIES):
        site.run(site.guest.primary, f"systemctl start {site.guest.unit}", timeout_s=180)
        if not wait(lambda: _has_backup(site), _PROTECTED_S, every_s=1):
            raise LabError(
                f"{site.guest.name} has no backup after {_PROTECTED_S} s: journalctl -u {site.guest.unit} on a"
            )
        actions.snapshot(site.lab, "leased")
        if freeze.is_received(site):
            break
        say("replication ended while the snapshot was taken, as where this machine is too busy: once more")
    else:
        raise LabError(f"replication ends each time a snapshot is taken: journalctl -u {site.guest.unit} on a")
    site.run(site.guest.primary, f"systemctl stop {site.guest.unit}", timeout_s=180)
    actions.snapshot(site.lab, "leased-alone")
    special.finish(site.lab, _KIND)
    say("the snapshots that trials of the lease begin from are taken")


def _has_backup(site: Site) -> bool:
    shown = site.run(site.guest.primary, "hefery-remus lease show || true")
    return "with a backup" in shown
