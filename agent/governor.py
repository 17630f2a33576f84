"""From decision to order: in, decisions, holds and whose primary this host is; out, order files for the pacers."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from agent.clock import Now
from agent.decisions import DecisionFeed
from agent.events import Events
from agent.evidence import Evidence, Limits, weigh
from agent.hold import allowed_ms, hold_path
from agent.order import MAX_AHEAD_NS, Order, OrderError, effective_interval_ms, order_path, read, write
from agent.primary import Primary

_log = logging.getLogger(__name__)


def govern(evidence: Evidence | None, hold_ms: int | None, now: Now, limits: Limits) -> Order | None:
    """The order that `evidence` and an operator's hold give now; None where no evidence stands."""
    if evidence is None or not evidence.stands(now):
        return None
    interval_ms = evidence.interval_ms if hold_ms is None else min(evidence.interval_ms, hold_ms)
    deadline_ns = min(evidence.expires_monotonic_ns, now.monotonic_ns + MAX_AHEAD_NS)
    return Order(evidence.sequence, limits.clamp(interval_ms), deadline_ns)


class Governor:
    """Keeps the order files of this host; a domain that has no fresh decision is left to its pacer's own caution."""

    def __init__(
        self,
        *,
        run_dir: Path,
        boot_id: str,
        limits: Limits,
        primary: Primary,
        feed: DecisionFeed,
        events: Events,
        period_s: float,
        read_clock: Callable[[], Now] = Now.read,
    ) -> None:
        self._run_dir = run_dir
        self._boot_id = boot_id
        self._limits = limits
        self._primary = primary
        self._feed = feed
        self._events = events
        self._period_s = period_s
        self._read_clock = read_clock
        self._known = _left_orders(run_dir, read_clock(), limits)
        self._doubts: dict[tuple[str, str], str] = {}
        self._told_ms: dict[str, int] = {}
        self._here: frozenset[str] | None = None
        self.ticked_ns = read_clock().monotonic_ns
        """When the last tick ended, by the monotonic clock: for a watchdog."""

    def run(self, stop: threading.Event) -> None:
        """Tick every period, and at once when decisions come, until `stop` is set; then make every order protective."""
        try:
            while not stop.is_set():
                self.tick()
                self._feed.news.wait(self._period_s)
        finally:
            for domain in self._known:
                self._withdraw(domain)

    def tick(self) -> None:
        """Weigh what has come, bring every order file up to date, and only then tell of it."""
        here = self._primary.domains()
        self._feed.wanted = here
        self._learn()
        for domain in here:
            self._steer(domain)
        for domain in self._known.keys() - here:
            self._withdraw(domain)
        for domain in here:
            self._tell(domain)
        self._tell_of_replications(here)
        self.ticked_ns = self._read_clock().monotonic_ns

    def _learn(self) -> None:
        decisions, seen = self._feed.take() or ([], self._read_clock())
        for decision in decisions:
            known, doubt = weigh(self._known.get(decision.domain), decision, seen, self._limits)
            if known is not None:
                self._known[decision.domain] = known
            self._note(decision.domain, "decision not acted on", doubt)

    def _steer(self, domain: str) -> None:
        now = self._read_clock()
        try:
            hold_ms = allowed_ms(hold_path(self._run_dir, domain), now, self._boot_id, self._limits.protective_ms)
            order = govern(self._known.get(domain), hold_ms, now, self._limits)
            path = order_path(self._run_dir, domain)
            if order is None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # its pacer's reports arrive there too
                self._withdraw(domain)
            elif read(path) != order.encode():
                write(path, order)
        except (OSError, OrderError) as error:
            self._note(domain, "order not renewed", str(error))
        else:
            self._note(domain, "order not renewed", None)

    def _withdraw(self, domain: str) -> None:
        """Put the protective interval into an order that stands; without one, the pacer is at it already."""
        now, protective_ms = self._read_clock(), self._limits.protective_ms
        try:
            path = order_path(self._run_dir, domain)
            text = read(path)
            if text is not None and effective_interval_ms(text, now.monotonic_ns, protective_ms) > protective_ms:
                write(path, replace(Order.parse(text), interval_ms=protective_ms))
        except (OSError, OrderError) as error:
            self._note(domain, "order not withdrawn", str(error))

    def _tell(self, domain: str) -> None:
        """Leave an event when the interval in force, read back from the file, has changed."""
        now, protective_ms = self._read_clock(), self._limits.protective_ms
        text = read(order_path(self._run_dir, domain))
        interval_ms = effective_interval_ms(text, now.monotonic_ns, protective_ms)
        before_ms = self._told_ms.get(domain, protective_ms)
        self._told_ms[domain] = interval_ms
        if interval_ms != before_ms:
            words = f"{before_ms} -> {interval_ms} ms: {self._reason(domain, interval_ms, now)}"
            self._events.tell("interval", words, now.wall_ns, domain)

    def _tell_of_replications(self, here: frozenset[str]) -> None:
        """Leave events of replications that began or ended here; what runs when the agent begins is no news."""
        before, self._here = here if self._here is None else self._here, here
        for kind, domains in (("started", here - before), ("stopped", before - here)):
            for domain in domains:
                self._events.tell(kind, f"the replication of {domain} has {kind}", self._read_clock().wall_ns, domain)

    def _reason(self, domain: str, interval_ms: int, now: Now) -> str:
        known = self._known.get(domain)
        if known is None or not known.stands(now):
            return self._doubts.get((domain, "decision not acted on"), "no fresh decision")
        return known.reason if interval_ms == known.interval_ms else "held by an operator"

    def _note(self, domain: str, what: str, why: str | None) -> None:
        """Log what is wrong with a domain when that changes."""
        if why is None:
            self._doubts.pop((domain, what), None)
        elif self._doubts.get((domain, what)) != why:
            self._doubts[domain, what] = why
            _log.warning("domain %s: %s: %s", domain, what, why)


def _left_orders(run_dir: Path, now: Now, limits: Limits) -> dict[str, Evidence]:
    """What the order files of a former run still say, by domain."""
    known = {}
    for path in run_dir.glob("*/order"):
        with suppress(OrderError):
            known[path.parent.name] = Evidence.of_order(Order.parse(read(path) or ""), now, limits)
    return known
