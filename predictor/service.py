"""The running predictor: in, what agents measured; out, at every step a forecast and a decision for each domain."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from predictor import costs, series
from predictor.fleet import Fleet, last_seen_ns
from predictor.points import Stamp, decision_points, forecast_points
from predictor.policy import Decision, Memory, Rule, View, decide
from predictor.settings import PredictorSettings
from predictor.shelf import Shelf
from telemetry.point import Point
from telemetry.schema import NOBODY
from telemetry.store import Store, StoreError
from telemetry.units import NS_PER_MS, NS_PER_S

_log = logging.getLogger(__name__)

_SEQUENCE_MEMORY_NS: Final = 3600 * NS_PER_S
"""A decision older than this counts for nothing any more, nor does its sequence."""
_CREDIBLE_SEQUENCE: Final = 10**15
"""Milliseconds since 1970 are less for 30,000 years to come: there is no counting on from more."""
_CLOCK_TOLERANCE_NS: Final = NS_PER_S
_RIVAL: Final = "another predictor decides, too: stop one of them"
_AHEAD: Final = "it was measured in the future; compare its host's clock with this one's"
_LOOKS_A_STEP: Final = 50
"""A step is cut into so many cells to tell decisions apart; this predictor never decides twice in one."""


@dataclass(frozen=True)
class Tick:
    """What came of a tick: the decisions by domain, and all points that tell of it."""

    decisions: Mapping[str, Decision]
    points: tuple[Point, ...]


class Predictor:
    """Forecasts and decides, step by step; what it remembers from one to the next may be lost: that only protects."""

    def __init__(self, store: Store, settings: PredictorSettings) -> None:
        self._store = store
        self._settings = settings
        self._shelf = Shelf(settings.model.folder, settings.model.mode, settings.series.step_ns)
        self._fleet: Fleet | None = None
        self._until_ns = 0
        self._seen_ns: dict[str, int] = {}
        self._memories: dict[str, Memory] = {}
        self._sequence: int | None = None
        self._own: tuple[int, ...] = ()
        self._ticked_ns = 0

    def tick(self, now_ns: int) -> Tick:
        """Take in the steps that are over by now, and decide on every domain; writes nothing. Raises StoreError.

        Steps that could not be read are taken in at the next tick.
        """
        news = self._shelf.look()
        self._take_in(now_ns)
        decisions = self._doubt() if self._has_rival(now_ns) else self._decide(now_ns)
        service = self._settings.service
        thresholds = () if self._shelf.model is None else self._rule().thresholds
        stamp = Stamp(now_ns, self._next_sequence(now_ns), self._settings.model.mode, service.valid_for_s, thresholds)
        points = decision_points(decisions, stamp)
        if self._fleet is not None:
            points += forecast_points(self._fleet, decisions, stamp)
        if news is not None:
            _log.warning("%s", news)
            points.append(Point("event", {"kind": "model", "domain": NOBODY, "host": NOBODY}, {"text": news}, now_ns))
        return Tick(decisions, tuple(points))

    def _take_in(self, now_ns: int) -> None:
        """Advance by the new steps; relive the recent past where there is no going on from where the fleet stood."""
        settings = self._settings
        stop_ns = series.complete_until_ns(now_ns, settings.series.step_ns, settings.series.lag_ns)
        earliest_ns = stop_ns - settings.service.replay_steps * settings.series.step_ns
        fleet, start_ns, seen_ns = self._fleet, self._until_ns, self._seen_ns
        if (fleet and fleet.trained) is not self._shelf.model or not earliest_ns <= start_ns <= stop_ns:
            fleet, start_ns, seen_ns = self._begin(), earliest_ns, {}
        grid = series.grid_between(start_ns, stop_ns, settings.series.step_ns)
        if grid.count:
            steps = series.read(self._store, grid, settings.series.domains or None)
            fleet = fleet and fleet.advance(steps)
            seen_ns = {**seen_ns, **last_seen_ns(steps)}
        replayed_ns = settings.service.replay_steps * settings.series.step_ns
        seen_ns = {domain: last_ns for domain, last_ns in seen_ns.items() if now_ns - last_ns < replayed_ns}
        self._fleet, self._until_ns, self._seen_ns = fleet, stop_ns, seen_ns

    def _begin(self) -> Fleet | None:
        model = self._shelf.model
        return None if model is None else Fleet.begin(model, self._settings.service.coverage_steps)

    def _decide(self, now_ns: int) -> dict[str, Decision]:
        """A decision for every domain that is named in the settings, or was measured lately."""
        views = self._views(now_ns)
        ahead = self._measured_ahead(now_ns)
        rule = self._rule()
        decisions, memories = {}, {}
        for domain in self._domains():
            view = None if domain in ahead else views.get(domain)
            decision, memories[domain] = decide(view, rule, self._memories.get(domain), now_ns)
            if view is None:
                decision = replace(
                    decision, reason=f"{decision.reason}: {_AHEAD if domain in ahead else self._why_not(domain)}"
                )
            decisions[domain] = decision
        self._memories = memories
        return decisions

    def _rule(self) -> Rule:
        return self._settings.rule(None if self._shelf.model is None else self._shelf.model.model.calm)

    def _domains(self) -> Sequence[str]:
        return self._settings.series.domains or sorted(self._seen_ns)

    def _has_rival(self, now_ns: int) -> bool:
        """Whether the store has decisions of about the last step that this predictor has not made."""
        step_ns = self._settings.series.step_ns
        start_ns = max(self._ticked_ns - step_ns // 2, now_ns - 2 * step_ns)
        self._ticked_ns = now_ns
        if not self._own:
            return False
        grid = series.grid_between(start_ns, now_ns + step_ns, step_ns // _LOOKS_A_STEP)
        found = self._store.window("decision", ["sequence"], grid, by=["domain"]).values
        return bool(np.setdiff1d(found[~np.isnan(found)], self._own).size)

    def _doubt(self) -> dict[str, Decision]:
        """Protection all around, and calm has to be shown anew: another predictor's decisions may differ."""
        if self._memories:
            _log.warning("%s", _RIVAL)
        self._memories = {}
        doubt = Decision(self._settings.policy.protective_ms, _RIVAL)
        return dict.fromkeys(self._domains(), doubt)

    def _views(self, now_ns: int) -> dict[str, View]:
        views = {} if self._fleet is None else self._fleet.views(self._seen_ns, now_ns)
        if self._settings.policy.cost is None:
            return views
        known = costs.measured(self._store, self._settings.policy.cost, now_ns)
        return {domain: replace(view, cost=known.get(domain)) for domain, view in views.items()}

    def _measured_ahead(self, now_ns: int) -> set[str]:
        """The domains with points from the future: they would look alive for a while after they have died."""
        since_ns = now_ns + self._settings.series.step_ns + _CLOCK_TOLERANCE_NS
        return {point.tags["domain"] for point in self._store.latest("domain", since_ns=since_ns)}

    def _why_not(self, domain: str) -> str:
        if self._shelf.model is None:
            return "there is no model yet"
        if domain not in self._shelf.model.column:
            return "the model has not learned this domain"
        return "nothing was measured of it lately"

    def _next_sequence(self, now_ns: int) -> int:
        """Grows with every tick, also over restarts and when the clock is set back."""
        if self._sequence is None:
            latest = self._store.latest("decision", since_ns=max(0, now_ns - _SEQUENCE_MEMORY_NS))
            known = [int(point.fields.get("sequence", 0)) for point in latest]
            self._sequence = max((sequence for sequence in known if sequence < _CREDIBLE_SEQUENCE), default=0)
        self._sequence = max(self._sequence + 1, now_ns // NS_PER_MS)
        self._own = (*self._own[-2:], self._sequence)
        return self._sequence


def run(
    predictor: Predictor,
    store: Store,
    settings: PredictorSettings,
    wait: Callable[[float], object],
    now_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Tick at the end of every step; a store that cannot be used is tried again at the next.

    `wait` waits for so many seconds, and ends the run by being true.
    """
    trouble = ""
    while True:
        try:
            store.append(predictor.tick(now_ns()).points)
        except StoreError as error:
            if str(error) != trouble:
                _log.error("no forecasts, so the governors protect: %s", error)
            trouble = str(error)
        else:
            if trouble:
                _log.warning("the store can be used again")
            trouble = ""
        if wait(_until_next_s(now_ns(), settings)):
            return


def _until_next_s(now_ns: int, settings: PredictorSettings) -> float:
    """Until the step under way is complete; never longer than a step, whatever the clock says."""
    step_ns, lag_ns = settings.series.step_ns, settings.series.lag_ns
    return (step_ns - (now_ns - lag_ns) % step_ns) / NS_PER_S
