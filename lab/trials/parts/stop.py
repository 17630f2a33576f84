"""Ends of replication by an operator: in, random moments; out, whether exactly one copy lived all the time."""

import time
from collections.abc import Sequence
from typing import Any, Final

from lab.trials import base, copies, playbooks, reports
from lab.trials.part import Outcome, Part, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_PLAYBOOK: Final = "playbooks/stop-replication.yml"
_BY_PLAYBOOK_EVERY: Final = 5
"""The first trial of so many is by the playbook, which takes longer; the others by systemctl, as a shutdown does."""
_INTERVALS_MS: Final = (25, 500, 2000)
_PATIENCE_S: Final = 30
_STOP_S: Final = 180
_AFTERWARDS_S: Final = 3


def _trial(site: Site, turn: Turn) -> Outcome:
    interval_ms = turn.random.choice(_INTERVALS_MS)
    with site.watching(turn.folder) as watch:
        with site.probing(turn.folder) as probe:
            probe.order(interval_ms)
            site.commits_come(probe, 2, _PATIENCE_S)
            time.sleep(turn.random.uniform(0, 2))
            began_ns = time.time_ns()
            how = _stop(site, turn)
            stop_s = (time.time_ns() - began_ns) / NS_PER_S
        stopped_ns = time.time_ns()
        time.sleep(_AFTERWARDS_S)
    frames, left = watch.frames, site.copies(site.both())
    heard, live = copies.hosts(frames), copies.live_copies_max(frames)
    measured = {
        "how": how,
        "interval_ms": interval_ms,
        "phase": reports.phase(probe.told, began_ns),
        "stop_s": stop_s,
        "live_copies": live,
        "silence_s": copies.longest_silence_s(frames, began_ns, stopped_ns),
    }
    found = {
        f"copies are left: {left}": left != {site.guest.primary.name: [site.guest.name], site.guest.backup.name: []},
        f"the guest was heard from {heard}": heard != [site.guest.primary.name],
        "the guest was not heard after the stop": not any(frame.time_ns > stopped_ns for frame in frames),
        "the guest did not count on": not copies.never_steps_back(frames),
    }
    return Outcome(measured, faults(found))


def _stop(site: Site, turn: Turn) -> str:
    if turn.number % _BY_PLAYBOOK_EVERY == 1:
        log = turn.folder / "ansible.json"
        counts = playbooks.play(_PLAYBOOK, log)
        if counts.broken:
            raise ValueError(f"{_PLAYBOOK} failed, see {log}: {'; '.join(counts.tasks[-2:])}")
        return "playbook"
    site.run(site.guest.primary, f"systemctl stop {site.guest.unit}", timeout_s=_STOP_S)
    return "systemctl"


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {"trials": len(rows), "exactly_one_copy": sum(row.passed for row in rows)}


STOP: Final = Part("stop", "stop", 5, 20, base.each_time("probed", _trial), _summary)
