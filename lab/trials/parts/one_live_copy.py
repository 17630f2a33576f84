"""Whatever fails, one live copy: in, seeded troubles, alone and in pairs; out, histories, writers, who is up again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any, Final

from lab.errors import LabError
from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials import base, copies, histories, reports, troubles
from lab.trials.children import Probe
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.sightings import Frame
from lab.trials.site import Site, Watch
from lab.trials.troubles import FOR_ALL, KINDS, Struck, Trouble
from telemetry.units import NS_PER_S

_INTERVALS_MS: Final = (25, 500, 2000)
_PHASES: Final = ("protected", "protected", "protected", "first copy", "hand-over")
_MOST_WAIT_S: Final = {"protected": 3.0, "first copy": 10.0, "hand-over": 5.0}
_PAIR_EVERY: Final = 3
"""The last trial of so many meets two troubles."""
_STRIDE: Final = 3
"""Through the kinds, whose number it does not divide: a few trials meet all sorts."""
_APART_S: Final = 5.0
_LONG_S: Final = 30.0
_UP_IN_S: Final = 20.0
"""Of a long trouble, after which the guest is to be up in spite of it: an emulated host takes some ten."""
_PATIENCE_S: Final = 90
_BOOT_S: Final = 700
"""Of an emulated host, and before it an orderly end, which systemd gives a replication 300 s for."""
_AFTERWARDS_S: Final = 5
_STOOD_STILL: Final = ("freeze a", "stall a")
_STEP_S: Final = 2.0
"""From when the primary goes on. Without held output clients may hear its copy until its guard's next step: a refused
renewal, or the deadline of 1.5 s, and spare for an emulated host (model/README.md, the hard cases)."""
_UNDONE_S: Final = 1.0
"""The primary has gone on at most so long before that was noted."""
_WRITES: Final = "writes_per_s=10&megabytes=1&seconds=3600"
"""For longer than any trial. By itself the guest writes in bursts some seconds apart: two writers could pass unseen."""
_BEFORE_S: Final = 3.0
_LEAST_WRITES: Final = 6
"""In that time: checkpoints every 25 ms leave the guest of an emulated host half of it."""
_HAND_OVER: Final = "systemd-run --no-block hefery-remus hand-over --domain "


@dataclass(frozen=True)
class Case:
    """What a trial meets: drawn for each."""

    phase: str
    interval_ms: int
    wait_s: float
    troubles: tuple[Trouble, ...]
    for_all: frozenset[str] = FOR_ALL
    """The kinds that no host can run the guest under."""

    @classmethod
    def draw(cls, turn: Turn) -> "Case":
        """Single kinds in turn; pairs, phases and times at random."""
        pairs = turn.number // _PAIR_EVERY
        single = KINDS[(turn.number - 1 - pairs) * _STRIDE % len(KINDS)]
        kinds = turn.random.sample(KINDS, 2) if turn.number % _PAIR_EVERY == 0 else [single]
        phase = turn.random.choice(_PHASES)
        drawn = tuple(
            Trouble(kind, 0 if number == 0 else turn.random.uniform(0, _APART_S), _lasts_s(turn, kind))
            for number, kind in enumerate(kinds)
        )
        wait_s = turn.random.uniform(0, _MOST_WAIT_S[phase])
        return cls(phase, turn.random.choice(_INTERVALS_MS), wait_s, drawn)

    @property
    def name(self) -> str:
        """Of the row in the table."""
        return self.troubles[0].kind if len(self.troubles) == 1 else "pairs"

    @property
    def may_end_it(self) -> bool:
        """Whether the only copy may be lost with its host: that is no failover's fault, and `start` must help."""
        is_alone = self.phase != "protected" or len(self.troubles) > 1
        return is_alone and any(trouble.lost for trouble in self.troubles)


def _lasts_s(turn: Turn, kind: str) -> float:
    if kind.startswith(("freeze", "stall")):
        return turn.random.uniform(1, 30)
    return _LONG_S if turn.random.random() < 0.5 else turn.random.uniform(1, 10)


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    yield lambda turn: _trial(site, turn)


def _trial(site: Site, turn: Turn) -> Outcome:
    case = Case.draw(turn)
    base.begin(site, "unprotected" if case.phase == "first copy" else "probed")
    return meet(site, turn, case)


@dataclass(frozen=True)
class Seen:
    """How a trial has ended, besides what its client and the disk's host have logged."""

    struck: Sequence[Struck]
    alone_ns: int
    """Until then the primary's copy alone could run."""
    began_ns: int
    settled_ns: int
    moment: str
    running: Sequence[str]
    """The hosts where the guest is."""
    is_up: bool
    started: str
    """The host that an operator had to start the guest on, if any."""


def meet(site: Site, turn: Turn, case: Case) -> Outcome:
    """The trial itself, of a pair that is ready."""
    with (
        site.watching(turn.folder) as watch,
        site.watching_disk(turn.folder),
        site.probing(turn.folder) as probe,
    ):
        site.load(_WRITES)
        time.sleep(_BEFORE_S)
        alone_ns = _enter(site, case, probe)
        began_ns = time.time_ns()
        struck = troubles.strike(site, case.troubles)
        hosts = _booted(site, case, struck)
        over_ns = time.time_ns()  # only now: a host that is shut down may let its guest answer for a while
        is_up = _is_up(watch, over_ns)
        started = "" if is_up or not case.may_end_it else _started(site, hosts)
        is_up = is_up or (bool(started) and _is_up(watch, time.time_ns()))
        settled_ns, running = _settled(site, hosts)
    moment = reports.phase(probe.told, began_ns)
    seen = Seen(struck, alone_ns, began_ns, settled_ns, moment, running, is_up=is_up, started=started)
    return judge(site.guest.primary.name, case, watch, seen)


def judge(primary: str, case: Case, watch: Watch, seen: Seen) -> Outcome:
    """What the logs of a trial show, once it is over."""
    frames, writes = watch.frames, watch.writes
    writers_s = histories.overlap_s(writes)
    since_ns = seen.alone_ns - int(_BEFORE_S * NS_PER_S)
    written = sum(write.host == primary and since_ns <= write.time_ns < seen.alone_ns for write in writes)
    after_s = histories.overlap_s(_not_excused(frames, primary, seen.struck))
    heard = histories.heard_from(frames, seen.settled_ns)
    back = [] if seen.started else histories.steps_back(frames)
    measured = {
        "kind": case.name,
        "phase": case.phase,
        "moment": seen.moment,
        "interval_ms": case.interval_ms,
        "troubles": [asdict(trouble) for trouble in case.troubles],
        "missed": [one.missed for one in seen.struck if one.missed],
        "without_answer_s": histories.without_answer_s(watch.answers, seen.began_ns, seen.settled_ns),
        "two_histories": bool(back) or after_s > 0,
        "two_writers": writers_s > 0,
        "up_again": seen.is_up and len(seen.running) == 1 and len(heard) == 1,
        "heard_side_by_side_s": histories.overlap_s(frames),
        "writers": sorted({write.host for write in writes}),
        "writes_per_s": written / _BEFORE_S,
        "ended_on": seen.running,
        "started": seen.started,
    }
    found = {
        f"two were heard side by side for {after_s:.2f} s": after_s > 0,
        f"the copies on {back} have counted backwards": bool(back),
        f"two hosts wrote side by side for {writers_s:.2f} s": writers_s > 0,
        f"could not judge who writes: {written} times in {_BEFORE_S:g} s were too few": written < _LEAST_WRITES,
        "the guest did not answer when it was all over": not seen.is_up,
        f"the guest runs on {seen.running or 'no host'}": len(seen.running) != 1,
        f"the guest is heard from {heard}": len(heard) != 1,
        **_not_up_meanwhile(case, seen.struck, watch),
    }
    return Outcome(measured, faults(found))


def _not_excused(frames: Sequence[Frame], primary: str, struck: Sequence[Struck]) -> list[Frame]:
    """Without what a primary that stood still was heard to say when it went on."""
    went_on_ns = [one.ended_ns for one in struck if one.kind in _STOOD_STILL]
    return [
        frame
        for frame in frames
        if frame.host != primary
        or not any(-_UNDONE_S * NS_PER_S < frame.time_ns - at_ns < _STEP_S * NS_PER_S for at_ns in went_on_ns)
    ]


def _enter(site: Site, case: Case, probe: Probe) -> int:
    """Come to the moment; until when the primary's copy alone could run."""
    if case.phase == "first copy":
        site.run(site.guest.primary, f"systemctl start --no-block {site.guest.unit}")
    else:
        probe.order(case.interval_ms)
        site.commits_come(probe, 2, _PATIENCE_S)
    alone_ns = time.time_ns()
    if case.phase == "hand-over":
        site.run(site.guest.primary, _HAND_OVER + site.guest.name)
    time.sleep(case.wait_s)
    return alone_ns if case.phase == "hand-over" else time.time_ns()


def _booted(site: Site, case: Case, struck: Sequence[Struck]) -> list[str]:
    """The hosts that have power, once all that have lost their memory have booted anew, or are off. Raises LabError."""
    lost = {trouble.lost for trouble, one in zip(case.troubles, struck, strict=True) if not one.missed} - {""}
    for host in sorted(lost):
        if not wait(partial(troubles.is_over, site, HOSTS[host]), _BOOT_S, every_s=5):
            raise LabError(f"{host} has neither booted anew nor gone off in {_BOOT_S} s")
    if not any(site.has_power(host) for host in site.both()):
        site.switch_on()  # as an operator does
    return [host.name for host in site.both() if site.has_power(host)]


def _is_up(watch: Watch, since_ns: int) -> bool:
    return wait(lambda: copies.first_answer_s(watch.answers, since_ns) is not None, _PATIENCE_S, every_s=0.5)


def _settled(site: Site, hosts: Sequence[str]) -> tuple[int, list[str]]:
    """Since when the guest has been where it is: one that is handed over is on one host, on none, on the other."""
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        wait(lambda: len(_running(site, hosts)) == 1, _PATIENCE_S, every_s=1)
        before, since_ns = _running(site, hosts), time.time_ns()
        time.sleep(_AFTERWARDS_S)
        running = _running(site, hosts)
        if running == before or time.monotonic() > end_s:
            return since_ns, running


def _running(site: Site, hosts: Sequence[str]) -> list[str]:
    """The hosts where the guest is, whatever it does there."""
    found = site.copies(tuple(HOSTS[host] for host in hosts))
    return [host for host, names in found.items() if site.guest.name in names]


def _started(site: Site, hosts: Sequence[str]) -> str:
    """As an operator does who has found it nowhere: the host that it was started on."""
    off = "" if len(hosts) == len(site.both()) else " --peer-is-off"
    site.run(HOSTS[hosts[0]], f"hefery-remus start --domain {site.guest.name}{off}", _PATIENCE_S)
    return hosts[0]


def _not_up_meanwhile(case: Case, struck: Sequence[Struck], watch: Watch) -> dict[str, bool]:
    """One trouble leaves a guest that is protected a host with disk and quorum, but for what takes them from all."""
    one = struck[0]
    since_ns = one.began_ns + int(_UP_IN_S * NS_PER_S)
    is_met = len(struck) == 1 and case.phase == "protected" and one.kind not in case.for_all
    if not is_met or since_ns > one.ended_ns - NS_PER_S:
        return {}
    is_answered = histories.is_answered(watch.answers, since_ns, one.ended_ns)
    return {f"nobody was up {_UP_IN_S:g} s after the trouble had begun": not is_answered}


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What went against expectation, and each kind's outcomes and seconds without an answer."""
    kinds = sorted({row.measured.get("kind", "not made") for row in rows})
    return {
        "trials": len(rows),
        "two_histories": sum(row.measured.get("two_histories", False) for row in rows),
        "two_writers": sum(row.measured.get("two_writers", False) for row in rows),
        "not_up_again": sum(not row.measured.get("up_again", False) for row in rows),
        "kinds": {
            kind: _of_a_kind([row for row in rows if row.measured.get("kind", "not made") == kind]) for kind in kinds
        },
    }


def _of_a_kind(rows: Sequence[Row]) -> dict[str, Any]:
    seconds = values(rows, "without_answer_s")
    return {
        "trials": len(rows),
        "passed": sum(row.passed for row in rows),
        "without_answer_s_median": round(median(seconds), 1) if seconds else None,
        "without_answer_s_worst": round(max(seconds), 1) if seconds else None,
    }


ONE_LIVE_COPY: Final = Part("one_live_copy", "one_live_copy", 20, 300, _session, summary)
