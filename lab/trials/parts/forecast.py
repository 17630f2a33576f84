"""From a forecast to the interval: in, a calm guest that is loaded; out, how soon the shorter interval is in force."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from lab.trials import base, clocks, loop, store
from lab.trials.part import Outcome, Part, Trial, Turn, faults, median_of
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_MS, NS_PER_S

_LOAD: Final = "cpu=0.9&pages_per_s=2000&megabytes=32&seconds=40"
_MOST_S: Final = 3.0
_PATIENCE_S: Final = 60
_BEFORE_S: Final = 30
_TRIES: Final = 3


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    base.begin(site, "protected")
    with loop.quick_predictor(site) as pace:
        yield lambda turn: _trial(site, pace, turn)


def _trial(site: Site, pace: loop.Pace, turn: Turn) -> Outcome:
    """Load the guest in calm; again, where calm was over by itself when the load came.

    The hosts are restored for each, as a load's traces last for minutes; the predictor keeps what it has learned.
    """
    for _ in range(_TRIES):
        base.begin(site, "protected")
        pace.await_calm()
        time.sleep(turn.random.uniform(0, 3))
        outcome = _loaded(site)
        pace.disturbed()
        if outcome is not None:
            return outcome
    return Outcome({}, (f"calm was over before the load came, {_TRIES} times",))


def _loaded(site: Site) -> Outcome | None:
    """What came of a load; None where the interval was short already, so that no order could change it.

    The decision and its forecast carry one time: just before they are written.
    """
    ahead_ns = clocks.ahead_ns(site.lab, site.guest.primary)
    loaded_ns = time.time_ns()
    site.load(_LOAD)
    decision = store.await_point(
        site, "decision", loaded_ns, _PATIENCE_S, lambda p: p.fields["interval_ms"] < loop.CALM_MS
    )
    if decision is None:
        return Outcome({}, (f"no decision shortened the interval in {_PATIENCE_S} s under load",))
    before = store.points(site, "decision", loaded_ns - _BEFORE_S * NS_PER_S, decision.time_ns)
    if before and before[-1].fields["interval_ms"] < loop.CALM_MS:
        return None
    applied = _applied(site, decision, loaded_ns)
    forecasts = store.points(site, "forecast", decision.time_ns, decision.time_ns + 1)
    in_force_s = None if applied is None else (applied.time_ns - ahead_ns - decision.time_ns) / NS_PER_S
    measured = {
        "in_force_s": in_force_s,
        "load_to_decision_s": (decision.time_ns - loaded_ns) / NS_PER_S,
        "decision": decision.fields,
        "forecast": forecasts[0].fields if forecasts else None,
        "clock_ahead_ms": ahead_ns / NS_PER_MS,
    }
    reason = decision.fields["reason"]
    found = {
        "the decision has no forecast beside it": not forecasts,
        f"doubt shortened it, not a forecast: {reason}": "evidence" not in reason,
        "the order was not applied": in_force_s is None,
    }
    return Outcome(measured, faults(found))


def _applied(site: Site, decision: store.Seen, since_ns: int) -> store.Seen | None:
    """The event that tells that the decision is in force."""
    words = f"order {decision.fields['sequence']}:"
    return store.await_point(
        site,
        "event",
        since_ns,
        _PATIENCE_S,
        lambda p: p.tags["kind"] == "applied" and p.fields["text"].startswith(words),
    )


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {"median": median_of(rows, "in_force_s")}


def _goals(rows: Sequence[Row]) -> tuple[str, ...]:
    median_s = median_of(rows, "in_force_s")
    slow = median_s is not None and median_s >= _MOST_S
    return faults({f"the interval was in force after {median_s} s in the median, not in less than {_MOST_S:g}": slow})


FORECAST: Final = Part("forecast_to_interval", "forecast_to_interval_s", 2, 10, _session, _summary, _goals)
