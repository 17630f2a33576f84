"""Whatever may fail behind the interval: in, a fault; out, whether the protective interval came back by itself."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from agent.reports import Applied, Checkpoint
from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials import base, clocks, loop, services, store
from lab.trials.children import Probe
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_OF_A_PROBES_ORDER: Final = ("order deleted", "order garbled")
"""No calm need be awaited for it, and none comes soon after an agent was away."""
_CASES: Final = ("predictor killed", "store down", "agent killed", *_OF_A_PROBES_ORDER)
_BY_PROBE: Final = ("agent killed", *_OF_A_PROBES_ORDER)
_PROTECTIVE_MS: Final = 25
_MONITOR: Final = HOSTS["m"]
_GARBAGE: Final = '{"version": 1, "sequence": 99, "interval_ms": 8000, "deadline'
_SPARE_S: Final = 4.0
"""On top of the time to live: clocks that differ, a checkpoint under way, and the way of its report."""
_PATIENCE_S: Final = 60


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    if not site.is_protected():  # what was measured before is of use: the predictor has to learn from it
        base.begin(site, "protected")
    with loop.quick_predictor(site) as pace:
        yield lambda turn: _trial(site, pace, turn)


def _trial(site: Site, pace: loop.Pace, turn: Turn) -> Outcome:
    case = _CASES[(turn.number - 1) % len(_CASES)]
    if case not in _OF_A_PROBES_ORDER:
        pace.await_calm()
    time.sleep(turn.random.uniform(0, 3))
    protected_s = _by_probe(site, turn, case) if case in _BY_PROBE else _by_events(site, case)
    most_s = loop.VALID_FOR_S + _SPARE_S
    found = {
        "the interval did not become protective": protected_s is None,
        f"it took {protected_s} s, more than the {most_s:g} of an order": protected_s is not None
        and protected_s > most_s,
    }
    return Outcome({"case": case, "protected_s": protected_s}, faults(found))


def _by_probe(site: Site, turn: Turn, case: str) -> float | None:
    """Faults in which no agent is there that could tell: a probe reads the reports in its place."""
    primary = site.guest.primary
    if case == "agent killed":
        with services.killed(site, primary, "hefery-agent") as killed_ns, site.probing(turn.folder) as probe:
            return _protected_s(probe, killed_ns)
    with services.stopped(site, primary, "hefery-agent"), site.probing(turn.folder) as probe:
        probe.order(loop.CALM_MS)
        site.commits_come(probe, 3, _PATIENCE_S)
        done_ns = time.time_ns()
        _ = probe.remove() if case == "order deleted" else probe.garble(_GARBAGE)
        return _protected_s(probe, done_ns)


def _protected_s(probe: Probe, since_ns: int) -> float | None:
    """Seconds until the pacer reports the protective interval, as told here."""

    def protected() -> list[int]:
        told = [line for line in probe.told if line.arrived_ns > since_ns]
        return [
            t.arrived_ns
            for t in told
            if isinstance(t.what, Applied | Checkpoint) and t.what.interval_ms == _PROTECTIVE_MS
        ]

    wait(lambda: bool(protected()), _PATIENCE_S)
    return (protected()[0] - since_ns) / NS_PER_S if protected() else None


def _by_events(site: Site, case: str) -> float | None:
    """Faults far from the host: the agent there tells, once the store hears it again."""
    ahead_ns = clocks.ahead_ns(site.lab, site.guest.primary)
    unit = "hefery-predictor" if case == "predictor killed" else "influxdb"
    with services.killed(site, _MONITOR, unit) as killed_ns:
        wait(lambda: loop.interval_ms(site) == _PROTECTIVE_MS, _PATIENCE_S, every_s=0.5)
    words = f": {_PROTECTIVE_MS} ms in force"
    event = store.await_point(
        site,
        "event",
        killed_ns + ahead_ns,
        _PATIENCE_S,
        lambda p: p.tags["kind"] == "applied" and words in p.fields["text"],
    )
    return None if event is None else (event.time_ns - ahead_ns - killed_ns) / NS_PER_S


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    slowest_s = max(values(rows, "protected_s"), default=None)
    return {"trials": len(rows), "protected": sum(row.passed for row in rows), "protected_s_max": slowest_s}


DOUBT: Final = Part("doubt", "doubt", 5, 20, _session, _summary)
