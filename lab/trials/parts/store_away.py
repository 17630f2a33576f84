"""A store that is away for minutes: in, a loaded guest; out, whether each sample of then is there afterwards, once."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials import base, clocks, loop, services, store
from lab.trials.part import Outcome, Part, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_AWAY_S: Final = (120, 600)
_LOAD_S: Final = 30
_LOAD: Final = f"cpu=0.5&pages_per_s=500&megabytes=16&seconds={_LOAD_S}"
_AROUND_S: Final = 15
"""Before it, so that there is something to join on to, and after it."""
_MOST_APART_S: Final = 8.0
"""Between two samples, of which the lab's agents take one in 2 s: an emulated host may be late by some."""
_DRAIN_S: Final = 180
_PROTECTIVE_MS: Final = 25


def _trial(site: Site, turn: Turn) -> Outcome:
    """The spool takes what the store cannot; the interval has nothing to rely on, and protects."""
    away_s, ahead_ns = _AWAY_S[turn.number - 1], clocks.ahead_ns(site.lab, site.guest.primary)
    since_ns = time.time_ns() + ahead_ns
    time.sleep(_AROUND_S)
    with services.killed(site, HOSTS["m"], "influxdb"):
        for _ in range(away_s // _LOAD_S):
            site.load(_LOAD)
            time.sleep(_LOAD_S)
        is_protected, interval_ms = site.is_protected(), loop.interval_ms(site)
    back_s = time.monotonic()
    time.sleep(_AROUND_S)
    until_ns = time.time_ns() + ahead_ns
    is_whole = wait(lambda: gap_s(_times(site, since_ns, until_ns), since_ns, until_ns) <= _MOST_APART_S, _DRAIN_S)
    drained_s, times = time.monotonic() - back_s, _times(site, since_ns, until_ns)
    missing_s = gap_s(times, since_ns, until_ns)
    found = {
        f"{missing_s:.1f} s without a sample in the store": not is_whole,
        "a sample is there twice": len(set(times)) < len(times),
        "the guest was not protected meanwhile": not is_protected,
        f"the interval was {interval_ms} ms meanwhile": interval_ms != _PROTECTIVE_MS,
    }
    measured = {"away_s": away_s, "samples": len(times), "longest_gap_s": missing_s, "drained_s": drained_s}
    return Outcome(measured, faults(found))


def gap_s(times_ns: Sequence[int], since_ns: int, until_ns: int) -> float:
    """The longest time without a sample, of those in order."""
    return max(after - before for before, after in pairwise((since_ns, *times_ns, until_ns))) / NS_PER_S


def _times(site: Site, since_ns: int, until_ns: int) -> list[int]:
    seen = store.points(site, "domain", since_ns, until_ns)
    return [point.time_ns for point in seen if point.tags["host"] == site.guest.primary.name]


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "whole": sum(row.passed for row in rows),
        "longest_gap_s": max(values(rows, "longest_gap_s"), default=None),
        "drained_s_max": max(values(rows, "drained_s"), default=None),
    }


STORE_AWAY: Final = Part(
    "store_away", "store_away", 0, len(_AWAY_S), base.each_time("protected", _trial), _summary, fixed=True
)
