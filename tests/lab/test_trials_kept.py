"""A store that was away for two minutes, and what may have been lost by it."""

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

import pytest

from agent.settings import AgentSettings
from lab.trials import kept
from lab.trials.kept import Record
from lab.trials.parts.store_away import regular
from lab.trials.report import Row
from lab.trials.spools import Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S
from tests.ansible.rendering import render

AWAY_S, BACK_S, END_S = 15, 135, 160
Points = list[Point]


def at(time_s: float, measurement: str, host: str, **fields: Any) -> Point:
    tags = {"host": host, **({"domain": "web1"} if measurement in {"domain", "checkpoint"} else {})}
    return Point(measurement, tags, fields, round(time_s * NS_PER_S))


def event(time_s: float, host: str, kind: str = "trial") -> Point:
    return Point("event", {"kind": kind, "domain": "-", "host": host}, {"text": "-"}, round(time_s * NS_PER_S))


def measured() -> Points:
    """From the trial's beginning to its end, by a and b."""
    hosts = [at(1 + s, "host", host, cpu_ratio=s / 1000) for host in "ab" for s in range(0, END_S, 5)]
    domains = [at(0.5 + s * 2.1, "domain", "a", cpu_ratio=0.5) for s in range(int(END_S / 2.1))]
    checkpoints = [at(0.1 + s, "checkpoint", "a", rate_per_s=7.0, protected=True) for s in range(END_S)]
    return [*hosts, *domains, *checkpoints, event(20, "a"), event(21, "b"), event(100, "a", "applied")]


def of_then(points: Iterable[Point], host: str) -> Points:
    return [p for p in points if p.tags["host"] == host and AWAY_S * NS_PER_S <= p.time_ns < BACK_S * NS_PER_S]


def record(all_of_it: Points | None = None) -> Record:
    """A trial in which nothing went wrong."""
    points = measured() if all_of_it is None else all_of_it
    full = {host: Spool(tuple(of_then(points, host)), 1000, 0, 2) for host in "ab"}
    return Record(
        begun={host: Spool((), 1000, 0, 2) for host in "ab"},
        full=full,
        ended={host: Spool((), 1000 + len(full[host].points) + 40, 0, 2) for host in "ab"},
        stored=points,
        periods_s={("a", "host"): 5, ("b", "host"): 5, ("a", "domain"): 2, ("a", "checkpoint"): 1},
        spans_ns=dict.fromkeys("ab", (0, END_S * NS_PER_S)),
    )


def wrong(found: Record) -> list[str]:
    return [words for words, is_so in kept.judge(found).items() if is_so]


def without(points: Points, *gone: tuple[str, str, float]) -> Points:
    """All but those of a measurement and host at a second."""
    return [p for p in points if (p.measurement, p.tags["host"], p.time_ns / NS_PER_S) not in gone]


def test_what_waited_and_is_there_is_as_it_should_be() -> None:
    assert wrong(record()) == []


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (
            lambda all_: without(all_, ("host", "b", 51.0)),
            ["not in the store: 1 host of b", "10.0 s without host of b"],
        ),
        (lambda all_: without(all_, ("event", "a", 100.0)), ["not in the store: 1 event of a"]),
        (
            lambda all_: without(all_, ("checkpoint", "a", 50.1)),
            ["not in the store: 1 checkpoint of a", "2.0 s without checkpoint of a"],
        ),
        (
            lambda all_: [*without(all_, ("host", "b", 51.0)), at(51, "host", "b", cpu_ratio=0.7)],
            ["in the store otherwise than measured: 1 host of b"],
        ),
        (lambda all_: [*all_, at(51.5, "host", "b", cpu_ratio=0.7)], ["in the store and never measured: 1 host of b"]),
        (lambda all_: [*all_, at(140.5, "host", "b", cpu_ratio=0.7)], []),
    ],
)
def test_each_point_of_then_is_looked_for(stored: Callable[[Points], Points], told: list[str]) -> None:
    found = record()
    assert wrong(replace(found, stored=stored(measured()))) == told


def test_two_points_that_the_store_can_keep_but_one_of_are_one_lost() -> None:
    found = record()
    points = found.full["b"].points
    full = {**found.full, "b": replace(found.full["b"], points=(*points, points[0]))}
    assert wrong(replace(found, full=full)) == [
        "1 have series and time of another, and the store keeps one of them",
    ]


@pytest.mark.parametrize(
    ("moment", "change", "told"),
    [
        ("full", {"sent": 1010}, "b took 10 for sent while no store was there"),
        ("ended", {"sent": 1003}, "b has sent 3 since, and 25 waited"),
        ("ended", {"dropped": 4}, "b dropped 4"),
        ("ended", {"quarantined": 3}, "b quarantined 1"),
        ("ended", {"points": (event(21, "b"), event(159, "b"))}, "1 still wait on b"),
    ],
)
def test_what_agents_say_of_themselves_counts(moment: str, change: dict[str, Any], told: str) -> None:
    found = record()
    spools: dict[str, Spool] = dict(getattr(found, moment))
    moments: dict[str, Any] = {moment: {**spools, "b": replace(spools["b"], **change)}}
    assert wrong(replace(found, **moments)) == [told]


def test_an_agent_that_measured_nothing_for_a_step_is_told() -> None:
    skipped = without(measured(), ("host", "a", 151.0), ("checkpoint", "a", 3.1))
    assert wrong(record(skipped)) == ["10.0 s without host of a", "2.0 s without checkpoint of a"]
    assert kept.judge(record(skipped), late_periods=1.5)["10.0 s without host of a"] is False


def test_a_host_without_its_event_and_checkpoints_without_protection_are_told() -> None:
    points = [p for p in without(measured(), ("event", "b", 21.0)) if p.measurement != "checkpoint"]
    unprotected = [at(0.1 + s, "checkpoint", "a", protected=s != 60) for s in range(END_S)]
    assert wrong(record([*points, *unprotected])) == [
        "b kept 0 of its one event",
        "the checkpoints of then tell of no protection",
    ]


@pytest.mark.parametrize(
    ("times_s", "longest_s"),
    [([], 10), ([2, 4, 6, 8], 2), ([2, 4, 9], 5), ([5, 7, 9], 5), ([1, 3], 7), ([-1, 5, 11], 5)],
)
def test_the_longest_time_without_a_sample_counts_from_the_beginning_to_the_end(
    times_s: list[int], longest_s: int
) -> None:
    times_ns = [second * NS_PER_S for second in times_s]
    assert kept.longest_gap_s(times_ns, 0, 10 * NS_PER_S) == longest_s


def test_the_lab_s_agents_tell_their_periods() -> None:
    def told(host: str, *, has_guest: bool) -> dict[str, float]:
        return regular(
            AgentSettings.model_validate(tomllib.loads(render("lab", host, "agent", "agent.toml.j2"))),
            has_guest=has_guest,
        )

    assert told("a", has_guest=True) == {"host": 5, "agent": 60, "domain": 2, "checkpoint": 1}
    assert told("b", has_guest=False) == {"host": 5, "agent": 60}
    assert told("m", has_guest=False) == {"host": 1, "agent": 10}


def test_what_waited_is_counted_as_the_report_can_have_it() -> None:
    row = Row(1, (), 1.0, {"waited": kept.counts([event(20, "a"), event(100, "a"), event(21, "b")])})
    assert asdict(row)["measured"]["waited"] == {"event of a": 2, "event of b": 1}
