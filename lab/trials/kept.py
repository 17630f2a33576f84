"""What agents kept while the store was away: in, their spools and what it has then; out, whether all of it is there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lab.trials.spools import Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S

_Series = tuple[str, tuple[tuple[str, str], ...]]
_Key = tuple[_Series, int]

LATE_PERIODS: Final = 0.75
"""How late a regular sample may be, in periods. On emulated hosts under load, in 43 minutes, none of 1 s was later than
0.28, of xentop's 2 s and its own time than 0.29, of 5 s than 0.13; one that is missing is a whole one."""
MARK: Final = "trial"
"""The kind of the one event that each host is given while the store is away."""


@dataclass(frozen=True)
class Record:
    """Spools by host when the store had just gone, just before it was back, and at the end; what the store has then.

    `periods_s` tells what is measured at regular times, by host and measurement; `spans_ns` for how long that is looked
    at, by each host's own clock.
    """

    begun: Mapping[str, Spool]
    full: Mapping[str, Spool]
    ended: Mapping[str, Spool]
    stored: Sequence[Point]
    periods_s: Mapping[tuple[str, str], float]
    spans_ns: Mapping[str, tuple[int, int]]

    @property
    def waited(self) -> list[Point]:
        """What had to wait for the store."""
        return waiting(self.full)

    def gaps_s(self) -> dict[tuple[str, str], float]:
        """The longest time without a sample of what is regular."""
        return {
            (host, measurement): longest_gap_s(
                [p.time_ns for p in self.stored if (p.tags["host"], p.measurement) == (host, measurement)],
                *self.spans_ns[host],
            )
            for host, measurement in self.periods_s
        }


def judge(record: Record, *, late_periods: float = LATE_PERIODS) -> dict[str, bool]:
    """What may be wrong, in words, and whether it is."""
    gaps = {
        f"{gap_s:.1f} s without {measurement} of {host}": gap_s
        > record.periods_s[host, measurement] * (1 + late_periods)
        for (host, measurement), gap_s in record.gaps_s().items()
    }
    said = [point.fields.get("protected") for point in record.waited if point.measurement == "checkpoint"]
    return {
        **_losses(record.waited, record.stored),
        **_counts(record),
        **gaps,
        "the checkpoints of then tell of no protection": not said or not all(said),
    }


def waiting(spools: Mapping[str, Spool]) -> list[Point]:
    """The points in all of them."""
    return [point for spool in spools.values() for point in spool.points]


def counts(points: Iterable[Point]) -> dict[str, int]:
    """How many of each host's measurements; no Counter, which dataclasses.asdict takes for a list of pairs to count."""
    return dict(Counter(f"{point.measurement} of {point.tags['host']}" for point in points))


def left(waited: Iterable[Point], now: Mapping[str, Spool]) -> int:
    """How many of the points still wait."""
    keys = {_key(point) for point in waiting(now)}
    return sum(_key(point) in keys for point in waited)


def longest_gap_s(times_ns: Iterable[int], since_ns: int, until_ns: int) -> float:
    """The longest time without a sample from `since_ns` to `until_ns`."""
    within = sorted(time_ns for time_ns in times_ns if since_ns < time_ns < until_ns)
    return max(after - before for before, after in pairwise((since_ns, *within, until_ns))) / NS_PER_S


def _losses(waited: Sequence[Point], stored: Sequence[Point]) -> dict[str, bool]:
    """By comparing point with point: of a series that waited, all from its first to its last."""
    wanted, there = {_key(point): point for point in waited}, {_key(point): point for point in stored}
    spans = _spans(wanted)
    missing = [point for key, point in wanted.items() if key not in there]
    other = [point for key, point in wanted.items() if key in there and there[key] != point]
    never = [point for key, point in there.items() if key not in wanted and _is_within(key, spans)]
    twins = len(waited) - len(wanted)
    return {
        f"not in the store: {_named(missing)}": bool(missing),
        f"in the store otherwise than measured: {_named(other)}": bool(other),
        f"in the store and never measured: {_named(never)}": bool(never),
        f"{twins} have series and time of another, and the store keeps one of them": twins > 0,
    }


def _counts(record: Record) -> dict[str, bool]:
    """By what each agent says of itself."""
    found: dict[str, bool] = {}
    for host, begun in record.begun.items():
        full, ended = record.full[host], record.ended[host]
        still, sent = left(full.points, record.ended), ended.sent - full.sent
        marks = sum(p.measurement == "event" and p.tags["kind"] == MARK for p in full.points)
        found |= {
            f"{host} took {full.sent - begun.sent} for sent while no store was there": full.sent > begun.sent,
            f"{host} has sent {sent} since, and {len(full.points)} waited": sent < len(full.points),
            f"{host} dropped {ended.dropped - begun.dropped}": ended.dropped > begun.dropped,
            f"{host} quarantined {ended.quarantined - begun.quarantined}": ended.quarantined > begun.quarantined,
            f"{still} still wait on {host}": still > 0,
            f"{host} kept {marks} of its one event": marks != 1,
        }
    return found


def _key(point: Point) -> _Key:
    return (point.measurement, point.key), point.time_ns


def _spans(keys: Iterable[_Key]) -> dict[_Series, tuple[int, int]]:
    """The first and the last time of each series."""
    times_ns: dict[_Series, list[int]] = {}
    for series, time_ns in keys:
        times_ns.setdefault(series, []).append(time_ns)
    return {series: (min(times), max(times)) for series, times in times_ns.items()}


def _is_within(key: _Key, spans: Mapping[_Series, tuple[int, int]]) -> bool:
    series, time_ns = key
    return series in spans and spans[series][0] <= time_ns <= spans[series][1]


def _named(points: Iterable[Point]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts(points).items()))
