"""The play: in, a site, its store and services; out, the phases as they came to pass, and the interval all along."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from demo import progress
from demo.contrast import contrast
from demo.observer import Observer, newest
from demo.operator import Operator
from demo.processes import Child
from demo.record import Alarm, Span
from demo.site import DOMAIN, Site
from demo.stress import Means, disturbed
from demo.timeline import Disturbance, Kind, Pace, Plan, exactly
from predictor.symbols import SIGMA_CUT
from predictor.trained import Trained
from telemetry.store import Store
from telemetry.units import NS_PER_S

_TICK_S: Final = 0.25


@dataclass
class Director:
    """Plays one phase after the other. `wait` sleeps, or raises to end the play; `services` must outlive it."""

    plan: Plan
    site: Site
    store: Store
    services: Sequence[Child]
    observer: Observer
    wait: Callable[[float], None]
    say: Callable[[str], None]
    spans: list[Span] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)
    _said_s: float = -float("inf")

    def play(self) -> None:
        """All phases, the second disturbance only where calm was learned; raises ChildFailed, and what `wait` does."""
        self._phase(Kind.LEARNING, exactly(self.plan.learning_s))
        self._disturb(self.plan.first, Kind.FIRST_RAMP, Kind.FIRST_PEAK)
        self._phase(Kind.RECOVERY, exactly(self.plan.recovery_s))
        if self._learn():
            self._disturb(self.plan.second, Kind.RAMP, Kind.PEAK)
            self._phase(Kind.AFTER, self.plan.after)

    def _phase(self, kind: Kind, pace: Pace, each_tick: Callable[[], None] = lambda: None) -> None:
        start_s = time.monotonic()
        with self._span(kind):
            while not pace.is_over(elapsed_s := time.monotonic() - start_s, self.observer.long_for_s()):
                each_tick()
                self._tick(kind, progress.left(pace, elapsed_s))

    def _disturb(self, disturbance: Disturbance, ramp: Kind, peak: Kind) -> None:
        with disturbed(disturbance, Means.measure(self.site.folder)) as stress:
            start_s = time.monotonic()
            for kind, duration_s in ((ramp, disturbance.ramp_s), (peak, disturbance.peak_s)):
                self._phase(kind, exactly(duration_s), lambda: stress.advance(time.monotonic() - start_s))

    def _learn(self) -> bool:
        """Label, and train until calm is taken for calm; whether it was in the end.

        A minute need not have shown all that is calm on a machine that is used meanwhile: so Hefery learns again from
        what has come since, as it does every night in operation.
        """
        operator = Operator(self.site, lambda: self._tick(Kind.TRAINING, ""), self.say)
        for training in range(self.plan.most_trainings):
            with self._span(Kind.TRAINING):
                if not training:
                    self._label_first(operator)
                model = operator.train()
                self.alarms.append(Alarm(time.time_ns(), model.model.calm.evidence_high))
            if not self._is_visible(model):
                return False
            self._phase(Kind.QUIET, self.plan.quiet)
            if self.observer.long_for_s() >= self.plan.quiet.steady_s:
                return True
            self.say("       What goes on here now is new to the model: what it learned of calm was not all.")
        return False

    def _label_first(self, operator: Operator) -> None:
        self.say("       A person tells when the trouble was:")
        ramp, peak = self._lasted(Kind.FIRST_RAMP), self._lasted(Kind.FIRST_PEAK)
        operator.label("abnormal", ramp.start_ns + round(self.plan.visible_after_s * NS_PER_S), ramp.end_ns)
        operator.label("failed", peak.start_ns, peak.end_ns)

    def _is_visible(self, model: Trained) -> bool:
        """Whether at least the first disturbance stands out from what the model takes for calm."""
        peak = self._lasted(Kind.FIRST_PEAK)
        points = self.store.events("domain", peak.start_ns, peak.end_ns, where={"domain": DOMAIN})
        sigmas = contrast(model, DOMAIN, points)
        if sigmas >= SIGMA_CUT:
            return True
        self.say(
            f"       Even the first disturbance was only {sigmas:.1f} standard deviations above what this machine does"
            f" by itself; trouble is told apart from {SIGMA_CUT:g} on."
        )
        return False

    def _lasted(self, kind: Kind) -> Span:
        return next(span for span in self.spans if span.kind is kind)

    def _alarm_from(self) -> float | None:
        return self.alarms[-1].evidence if self.alarms else None

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    @contextmanager
    def _span(self, kind: Kind) -> Iterator[None]:
        if text := progress.introduction(self._elapsed_s(), kind, self.plan):
            self.say(text)
        start_ns = time.time_ns()
        yield
        self.spans.append(Span(kind, start_ns, time.time_ns()))

    def _tick(self, kind: Kind, left: str) -> None:
        for child in self.services:
            child.check()
        changed_from_ms = self.observer.look()
        elapsed_s, interval_ms = self._elapsed_s(), self.observer.interval_ms
        if changed_from_ms is not None:
            self.say(progress.change(elapsed_s, changed_from_ms, interval_ms))
        if elapsed_s - self._said_s >= progress.EVERY_S:
            self._said_s = elapsed_s
            told = progress.told(newest(self.store, "domain"), newest(self.store, "forecast"), self._alarm_from())
            self.say(progress.line(elapsed_s, kind, left, told, interval_ms))
        self.wait(_TICK_S)
