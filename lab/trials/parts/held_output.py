"""Output held until commit, and not: in, a primary that stands still and goes on; out, what clients heard, how late.

Not among the parts of a plain run: half of its trials need a landscape of their own.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, Final

from lab.processes import wait
from lab.trials import base, copies, histories, troubles
from lab.trials.children import Probe
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.sightings import Answer, Frame
from lab.trials.site import Site, Watch
from lab.trials.troubles import Trouble
from telemetry.units import NS_PER_MS, NS_PER_S

_TRIALS: Final = 12
_HELD_FROM: Final = 1 + _TRIALS // 2
"""The trial; those before are of the landscape of the inventory."""
_WORDS: Final = ("-e", "remus_hold_output=true")
_INTERVALS_MS: Final = (25, 100, 500, 2000)
_ASKED_MS: Final = (25, 50, 100, 200)
"""Of which the response is measured: the client gives a question up after a second."""
_COMMITS: Final = 3
_MEASURED_S: Final = 6
_KINDS: Final = ("freeze a", "stall a")
_LEAST_S, _MOST_S = 8.0, 20.0
"""The backup has taken over by then."""
_PATIENCE_S: Final = 60
_AFTERWARDS_S: Final = 5


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    yield lambda turn: _trial(site, turn)


def _trial(site: Site, turn: Turn) -> Outcome:
    is_held = turn.number >= _HELD_FROM
    if is_held:
        base.begin_otherwise(site, "held-output", _WORDS, "probed")
    else:
        base.begin(site, "probed")
    kind, lasts_s = _KINDS[turn.number % len(_KINDS)], turn.random.uniform(_LEAST_S, _MOST_S)
    interval_ms = turn.random.choice(_INTERVALS_MS)
    with site.watching(turn.folder) as watch, site.probing(turn.folder) as probe:
        response_ms = {f"{ms}": _response_ms(site, watch, probe, ms) for ms in _ASKED_MS}
        probe.order(interval_ms)
        site.commits_come(probe, _COMMITS, _PATIENCE_S)
        time.sleep(turn.random.uniform(0, interval_ms / 1000))
        (struck,) = troubles.strike(site, (Trouble(kind, 0, lasts_s),))
        wait(lambda: copies.first_answer_s(watch.answers, struck.ended_ns) is not None, _PATIENCE_S, every_s=0.5)
        time.sleep(_AFTERWARDS_S)
    late = late_frames(watch.frames, site.guest.primary.name, site.guest.backup.name)
    first_ns = min((frame.time_ns for frame in watch.frames if frame.host == site.guest.backup.name), default=0)
    measured = {
        "held": is_held,
        "kind": kind,
        "lasts_s": round(lasts_s, 1),
        "interval_ms": interval_ms,
        "response_ms": response_ms,
        "late_frames": len(late),
        "late_s": histories.overlap_s(watch.frames),
        "heard_for_s": max((frame.time_ns - struck.ended_ns for frame in late), default=0) / NS_PER_S,
    }
    found = {
        "the backup did not take over meanwhile": not 0 < first_ns < struck.ended_ns,
        f"{len(late)} frames of what no copy knows of were let out": is_held and bool(late),
    }
    return Outcome(measured, faults(found))


def late_frames(frames: Sequence[Frame], primary: str, backup: str) -> list[Frame]:
    """What was heard of the primary's copy after the backup's, but for ticks that the backup has counted, too; and
    ticks of any time that it has not: what was let out before the backup knew of it.
    """
    anew = [frame for frame in frames if frame.host == backup]
    if not anew:
        return []
    first_ns, known = min(frame.time_ns for frame in anew), min((f.counter for f in anew if f.counter), default=0)
    of_primary = [frame for frame in frames if frame.host == primary]
    return [f for f in of_primary if (f.time_ns > first_ns if f.counter is None else f.counter > known)]


def _response_ms(site: Site, watch: Watch, probe: Probe, interval_ms: int) -> float | None:
    """The median of the answers at this interval."""
    probe.order(interval_ms)
    site.commits_come(probe, _COMMITS, _PATIENCE_S)
    since_ns = time.time_ns()
    time.sleep(_MEASURED_S)
    return median_response_ms(watch.answers, since_ns)


def median_response_ms(answers: Sequence[Answer], since_ns: int) -> float | None:
    """Of the questions since then; None for none."""
    times = [answer.answered_ns - answer.asked_ns for answer in answers if answer.asked_ns >= since_ns]
    return round(median(times) / NS_PER_MS, 1) if times else None


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    made = [row for row in rows if "held" in row.measured]
    return {
        "trials": len(rows),
        "passed": sum(row.passed for row in rows),
        "held": _of([row for row in made if row.measured["held"]]),
        "not_held": _of([row for row in made if not row.measured["held"]]),
    }


def _of(rows: Sequence[Row]) -> dict[str, Any]:
    """How many times something was heard late, for how long at most, and the median response by interval."""
    at_ms = {
        interval_ms: [ms for row in rows if (ms := row.measured["response_ms"].get(f"{interval_ms}")) is not None]
        for interval_ms in _ASKED_MS
    }
    return {
        "trials": len(rows),
        "heard_late": sum(row.measured["late_frames"] > 0 for row in rows),
        "heard_for_s_max": max(values(rows, "heard_for_s"), default=None),
        "response_ms": {interval_ms: median(known) if known else None for interval_ms, known in at_ms.items()},
    }


HELD_OUTPUT: Final = Part("held_output", "held_output", 0, _TRIALS, _session, _summary, fixed=True, by_default=False)
