"""Power cuts of the backup: in, random moments; out, whether the guest went on, and how soon that was told."""

import time
from collections.abc import Sequence
from typing import Any, Final

from lab import actions
from lab.processes import wait
from lab.trials import base, clocks, copies, playbooks, store
from lab.trials.part import Outcome, Part, Turn, faults, median_of, values
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_MOST_S: Final = 5.0
_SOON: Final = ("event_s", "point_s", "silence_s")
_PATIENCE_S: Final = 60
_EVENTS: Final = ("unprotected", "ended")
"""Kinds of event that say so: no checkpoint came, or the pacer saw replication end."""


def _trial(site: Site, turn: Turn) -> Outcome:
    if not wait(site.is_protected, _PATIENCE_S, every_s=0.5):
        raise ValueError("the guest was not protected after the restore")
    with site.watching(turn.folder) as watch:
        ahead_ns = clocks.ahead_ns(site.lab, site.guest.primary)
        time.sleep(turn.random.uniform(1, 4))
        cut_ns = site.cut_power(site.guest.backup)
        since_ns = cut_ns + ahead_ns  # by the clock of the host that tells
        event = store.await_point(site, "event", since_ns, _PATIENCE_S, lambda p: p.tags["kind"] in _EVENTS)
        point = store.await_point(
            site, "checkpoint", since_ns, _PATIENCE_S, lambda p: p.fields.get("protected") is False
        )
        stop_ns = time.time_ns()
    frames = watch.frames
    told_s = {"event_s": _after_s(event, since_ns), "point_s": _after_s(point, since_ns)}
    silence_s = copies.longest_silence_s(frames, cut_ns, stop_ns)
    measured: dict[str, float | None] = {**told_s, "silence_s": silence_s}
    found = {
        **{f"there is no {name.removesuffix('_s')}": value is None for name, value in told_s.items()},
        "the guest did not count on": not copies.never_steps_back(frames),
        "the guest was not heard any more": silence_s > _PATIENCE_S / 2,
        f"the guest was heard from {copies.hosts(frames)}": copies.hosts(frames) != [site.guest.primary.name],
    }
    if turn.number == 1:  # one is enough: to boot it takes longer than all the rest
        measured["protected_again_s"] = _reprotect(site, turn)
        found["the guest was not protected again"] = measured["protected_again_s"] is None
    return Outcome(measured, faults(found))


def _reprotect(site: Site, turn: Turn) -> float | None:
    """Bring the backup back as an operator does; seconds until the guest is protected again, None where it is not."""
    began_s = time.monotonic()
    actions.up(site.lab)
    counts = playbooks.play("playbooks/reprotect.yml", turn.folder / "ansible.json")
    protected = not counts.broken and wait(site.is_protected, _PATIENCE_S, every_s=1)
    return time.monotonic() - began_s if protected else None


def _after_s(seen: store.Seen | None, since_ns: int) -> float | None:
    return None if seen is None else (seen.time_ns - since_ns) / NS_PER_S


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "guest_went_on": sum(row.passed for row in rows),
        "event_s_median": median_of(rows, "event_s"),
        "point_s_median": median_of(rows, "point_s"),
        "protected_again_s": median_of(rows, "protected_again_s"),
        **{f"{name}_max": max(values(rows, name), default=None) for name in _SOON},
    }


def _goals(rows: Sequence[Row]) -> tuple[str, ...]:
    slowest = {name: max(values(rows, name), default=0) for name in _SOON}
    return faults(
        {f"{name} was {value:.1f}, not within {_MOST_S:g}": value > _MOST_S for name, value in slowest.items()}
    )


BACKUP_DIES: Final = Part("backup_dies", "backup_dies", 3, 10, base.each_time("protected", _trial), _summary, _goals)
