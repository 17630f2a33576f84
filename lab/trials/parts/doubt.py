"""Whatever may fail behind the interval: in, a fault; out, whether the protective interval came when it was due."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from lab.errors import LabError
from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials import base, changes, clocks, due, loop, services, store
from lab.trials.due import PROTECTIVE_MS, Back, Look
from lab.trials.part import Outcome, Part, Trial, Turn, faults, values
from lab.trials.report import Row
from lab.trials.site import Site

_OF_A_PROBES_ORDER: Final = ("order deleted", "order garbled")
"""No calm need be awaited for it, and none comes soon after an agent was away."""
_CASES: Final = ("predictor killed", "store down", "agent killed", *_OF_A_PROBES_ORDER)
_BY_PROBE: Final = ("agent killed", *_OF_A_PROBES_ORDER)
_MONITOR: Final = HOSTS["m"]
_GARBAGE: Final = '{"version": 1, "sequence": 99, "interval_ms": 8000, "deadline'
_LONG_MS: Final = 8000
"""So long that a pacer which waited for its next checkpoint would be late."""
_AT_ONCE_S: Final = 1.0
"""Of the pacer, beside a checkpoint that is under way; 0.01 to 0.27 s were seen."""
_AGENT_TELLS_S: Final = 1.5
"""An agent takes note of what its pacer tells once a second, and on an emulated host up to 0.3 s later."""
_PATIENCE_S: Final = 60
_WALL_AHEAD: Final = "python3 -c 'import time; print(time.time_ns() - time.monotonic_ns())'"


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
    back = _by_probe(site, turn, case) if case in _BY_PROBE else _by_events(site, case)
    measured = {"protected_s": back.after_s, "late_s": back.late_s, "checkpoint_s": back.checkpoint_s}
    return Outcome({"case": case, **measured}, judge(case, back))


def judge(case: str, back: Back) -> tuple[str, ...]:
    """What is wrong with how the protective interval came back."""
    most_s = _AT_ONCE_S + back.checkpoint_s + (0.0 if case in _BY_PROBE else _AGENT_TELLS_S)
    after_s, late_s = back.after_s, back.late_s
    return faults(
        {
            "the interval did not become protective": after_s is None,
            "no order of a longer interval stood": after_s is not None and late_s is None,
            f"it came {late_s} s after it was due, not within {most_s:.2f}": late_s is not None and late_s > most_s,
            f"it came {after_s} s after the fault, and a decision stands for {loop.VALID_FOR_S:g}": after_s is not None
            and after_s > loop.VALID_FOR_S + most_s,
        }
    )


def _by_probe(site: Site, turn: Turn, case: str) -> Back:
    """Faults in which no agent is there that could tell: a probe reads the reports in its place."""
    primary = site.guest.primary
    if case == "agent killed":
        with services.killed(site, primary, "hefery-agent") as killed_ns:
            order = _look(site).order
            with site.probing(turn.folder) as probe:
                wait(lambda: due.protective(probe.told) is not None, _PATIENCE_S)
                return due.at_deadline(probe.told, killed_ns, order)
    with services.stopped(site, primary, "hefery-agent"), site.probing(turn.folder) as probe:
        site.commits_come(probe, 3, _PATIENCE_S)
        longer = probe.order(_LONG_MS)
        if not wait(lambda: changes.applied_ms(probe.told, longer) is not None, _PATIENCE_S):
            raise LabError(f"an order of {_LONG_MS} ms was not applied in {_PATIENCE_S} s")
        change = probe.remove() if case == "order deleted" else probe.garble(_GARBAGE)
        wait(lambda: due.protective(probe.told, change) is not None, _PATIENCE_S)
        return due.at_once(probe.told, change)


def _by_events(site: Site, case: str) -> Back:
    """Faults far from the host: the agent there tells, once the store hears it again."""
    primary, looks = site.guest.primary, list[Look]()
    ahead_ns, wall_ahead_ns = clocks.ahead_ns(site.lab, primary), int(site.run(primary, _WALL_AHEAD))

    def is_protective() -> bool:
        looks.append(_look(site))
        return looks[-1].interval_ms == PROTECTIVE_MS

    unit = "hefery-predictor" if case == "predictor killed" else "influxdb"
    with services.killed(site, _MONITOR, unit) as killed_ns:
        wait(is_protective, _PATIENCE_S, every_s=0.5)
    words = f": {PROTECTIVE_MS} ms in force"
    since_ns = killed_ns + ahead_ns
    event = store.await_point(
        site, "event", since_ns, _PATIENCE_S, lambda p: p.tags["kind"] == "applied" and words in p.fields["text"]
    )
    return due.by_event(None if event is None else event.time_ns, since_ns, wall_ahead_ns, looks)


def _look(site: Site) -> Look:
    told = site.run(site.guest.primary, f"cd {site.guest.directory} && cat order replication 2>/dev/null || true")
    return Look.of(told)


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "trials": len(rows),
        "protected": sum(row.passed for row in rows),
        **{f"{name}_max": max(values(rows, name), default=None) for name in ("protected_s", "late_s")},
    }


DOUBT: Final = Part("doubt", "doubt", 5, 20, _session, _summary)
