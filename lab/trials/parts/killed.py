"""Processes of a replication that are killed: in, victims and random moments; out, whether one guest went on."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from lab.landscape import Host
from lab.processes import wait
from lab.trials import base, copies, reports, victims
from lab.trials.children import Probe
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site, Watch
from telemetry.units import NS_PER_S

_MOST_WAIT_S: Final = {"protected": 2.0, "first copy": 8.0}
"""By phase, from when both ends of the stream are there; a first copy takes about as long as that."""
_CASES: Final = tuple(product(victims.ALL, _MOST_WAIT_S))
_INTERVALS_MS: Final = (25, 500, 2000)
_PATIENCE_S: Final = 90
_MOST_S: Final = 10.0
_AFTERWARDS_S: Final = 5
"""Long enough for a second copy to be heard, or a replication to begin by itself."""
_ENDED: Final = {"failed", "inactive"}
_AGAIN_EVERY: Final = 3
"""The first trial of so many goes on until the guest is protected again, which takes another first copy."""


@dataclass(frozen=True)
class Case:
    """What is killed and when: drawn for each trial."""

    victim: str
    phase: str
    interval_ms: int
    wait_s: float

    @classmethod
    def draw(cls, turn: Turn) -> "Case":
        """Victims and phases in turn; the rest at random."""
        victim, phase = _CASES[(turn.number - 1) % len(_CASES)]
        wait_s = turn.random.uniform(0, _MOST_WAIT_S[phase])
        return cls(victim, phase, turn.random.choice(_INTERVALS_MS), wait_s)

    def host(self, site: Site) -> Host:
        """Where the victim is."""
        return site.guest.primary if self.victim in victims.ON_PRIMARY else site.guest.backup

    def command(self, unit: str) -> str:
        """Kill the victim on its host, `wait_s` after the stream has begun there."""
        return victims.kill(self.victim, unit, self.wait_s)


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    yield lambda turn: _trial(site, turn)


def _trial(site: Site, turn: Turn) -> Outcome:
    case, primary, unit = Case.draw(turn), site.guest.primary, site.guest.unit
    base.begin(site, "probed" if case.phase == "protected" else "unprotected")
    with site.watching(turn.folder) as watch, site.probing(turn.folder) as probe:
        if case.phase == "protected":
            probe.order(case.interval_ms)
            site.commits_come(probe, 2, _PATIENCE_S)
        else:
            site.run(primary, f"systemctl start --no-block {unit}")
        began_ns = time.time_ns()
        site.run(case.host(site), case.command(unit), _PATIENCE_S)
        killed_ns = time.time_ns()
        wait(lambda: _state(site) in _ENDED, _PATIENCE_S, every_s=0.5)
        settled_ns = time.time_ns()
        time.sleep(_AFTERWARDS_S)
        (turn.folder / "journal.log").write_text(site.run(primary, f"journalctl --unit={unit} --lines=30"))
        found = _found(site, watch)
        again = turn.number % _AGAIN_EVERY != 1 or _again(site, probe)
    measured = {
        "victim": case.victim,
        "interval_ms": case.interval_ms,
        "wait_s": case.wait_s,
        "phase": reports.phase(probe.told, killed_ns),
        "settled_s": (settled_ns - killed_ns) / NS_PER_S,
        "silence_s": copies.longest_silence_s(watch.frames, began_ns, settled_ns),
    }
    return Outcome(measured, (*found, *faults({"the guest was not protected again": not again})))


def _again(site: Site, probe: Probe) -> bool:
    """Begin anew; whether checkpoints come."""
    before = len(reports.commits(probe.told))
    site.run(site.guest.primary, f"systemctl start --no-block {site.guest.unit}")
    return wait(lambda: len(reports.commits(probe.told)) > before, _PATIENCE_S)


def _found(site: Site, watch: Watch) -> tuple[str, ...]:
    """What is wrong once replication has ended."""
    looked_ns = time.time_ns()
    state, left, frames = _state(site), site.copies(site.both()), watch.frames
    heard = copies.hosts(frames)
    return faults(
        {
            f"copies are left: {left}": left
            != {site.guest.primary.name: [site.guest.name], site.guest.backup.name: []},
            f"the guest was heard from {heard}": heard != [site.guest.primary.name],
            "the guest was not heard any more": not any(frame.time_ns > looked_ns for frame in frames),
            "the guest did not count on": not copies.never_steps_back(frames),
            f"its replication is {state}": state not in _ENDED,
        }
    )


def _state(site: Site) -> str:
    return site.run(site.guest.primary, f"systemctl is-active {site.guest.unit} || true").strip()


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "guest_went_on": sum(row.passed for row in rows),
        "silence_s_max": max(values(rows, "silence_s"), default=None),
    }


def _goals(rows: Sequence[Row]) -> tuple[str, ...]:
    longest_s = max(values(rows, "silence_s"), default=0)
    return faults({f"the guest was silent for {longest_s:.1f} s, not within {_MOST_S:g}": longest_s > _MOST_S})


KILLED: Final = Part("killed", "killed", 0, 20, _session, _summary, _goals)
