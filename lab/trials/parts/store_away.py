"""A store that is away for minutes: in, a loaded guest; out, whether all that was measured then is there afterwards."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from agent.settings import AgentSettings
from lab.landscape import HOSTS, Host
from lab.processes import wait
from lab.trials import base, clocks, kept, loop, services, spools, store
from lab.trials.due import PROTECTIVE_MS
from lab.trials.part import Outcome, Part, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.point import Point
from telemetry.units import NS_PER_S

_AWAY_S: Final = (120, 600)
"""The first in CI."""
_LOAD_S: Final = 30
_LOAD: Final = f"cpu=0.5&pages_per_s=500&megabytes=16&seconds={_LOAD_S}"
_AROUND_S: Final = 15
"""Before it, so that there is something to join on to, and after it."""
_DRAIN_S: Final = 180
_LOOK_S: Final = 3
_MARGIN_NS: Final = 60 * NS_PER_S
"""Around what is asked from the store: the hosts' clocks differ from its own."""
_MONITOR: Final = HOSTS["m"]
_MARK: Final = f"hefery-agent event {kept.MARK} --text 'the store is away'"
_MEASURED: Final = ("host", "domain", "checkpoint", "agent", "event")


def _trial(site: Site, turn: Turn) -> Outcome:
    """The spool takes what the store cannot; the interval has nothing to rely on, and protects."""
    away_s, hosts = _AWAY_S[turn.number - 1], (*site.both(), _MONITOR)
    settings = {host: spools.settings(site, host) for host in hosts}
    paths = {host: settings[host].spool.path for host in hosts}
    ahead_ns = {host: 0 if host == _MONITOR else clocks.ahead_ns(site.lab, host) for host in hosts}
    since_ns = time.time_ns()
    time.sleep(_AROUND_S)
    with services.killed(site, _MONITOR, "influxdb"):
        begun = spools.read(site, paths)
        _mark(site, hosts)
        for _ in range(away_s // _LOAD_S):
            site.load(_LOAD)
            time.sleep(_LOAD_S)
        is_protected, interval_ms = site.is_protected(), loop.interval_ms(site)
        full = spools.read(site, paths)
    back_s = time.monotonic()
    waited = kept.waiting(full)
    wait(lambda: not kept.left(waited, spools.read(site, paths)), _DRAIN_S, every_s=_LOOK_S)
    drained_s, until_ns = time.monotonic() - back_s, time.time_ns()
    time.sleep(_AROUND_S)
    record = kept.Record(
        begun,
        full,
        spools.read(site, paths),
        _stored(site, since_ns, until_ns),
        {
            (host.name, measurement): period_s
            for host in hosts
            for measurement, period_s in regular(settings[host], has_guest=host == site.guest.primary).items()
        },
        {host.name: (since_ns + ahead_ns[host], until_ns + ahead_ns[host]) for host in hosts},
    )
    found = {
        **kept.judge(record),
        "the guest was not protected meanwhile": not is_protected,
        f"the interval was {interval_ms} ms meanwhile": interval_ms != PROTECTIVE_MS,
    }
    measured = {
        "away_s": away_s,
        "waited": kept.counts(waited),
        "longest_gap_s": {f"{measurement} of {host}": s for (host, measurement), s in record.gaps_s().items()},
        "drained_s": drained_s,
    }
    return Outcome(measured, faults(found))


def regular(settings: AgentSettings, *, has_guest: bool) -> dict[str, float]:
    """What an agent measures at regular times, and its period (s); `has_guest`: its host replicates one."""
    of_guest = {"domain": float(settings.xen.period_s), "checkpoint": settings.checkpoints.period_s}
    return {
        "host": settings.machine.period_s,
        "agent": settings.health.period_s,
        **(of_guest if has_guest else {}),
    }


def _mark(site: Site, hosts: Iterable[Host]) -> None:
    """Give each host an event: nobody knows whether anything else will happen."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: site.run(host, _MARK), hosts))


def _stored(site: Site, since_ns: int, until_ns: int) -> list[Point]:
    """What agents of the lab measure, of all hosts."""
    return [
        Point(measurement, seen.tags, seen.fields, seen.time_ns)
        for measurement in _MEASURED
        for seen in store.points(site, measurement, since_ns - _MARGIN_NS, until_ns + _MARGIN_NS, of={})
    ]


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "whole": sum(row.passed for row in rows),
        "waited": sum(sum(row.measured.get("waited", {}).values()) for row in rows),
        "drained_s_max": max(values(rows, "drained_s"), default=None),
    }


STORE_AWAY: Final = Part(
    "store_away", "store_away", 1, len(_AWAY_S), base.each_time("protected", _trial), _summary, fixed=True
)
