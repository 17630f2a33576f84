import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import hold as operator
from agent.clock import Now
from agent.decisions import DecisionFeed
from agent.events import Events
from agent.evidence import Decision, Evidence, Limits, weigh
from agent.governor import Governor, govern
from agent.order import MAX_AHEAD_NS, Order, effective_interval_ms, order_path, read, write
from agent.primary import AssumedPrimary
from telemetry.point import Point, Value
from telemetry.store import Store, StoreUnavailable
from telemetry.units import NS_PER_S

LIMITS = Limits(protective_ms=25, max_ms=8_000, future_tolerance_ns=NS_PER_S)
T0 = Now(monotonic_ns=1_000 * NS_PER_S, wall_ns=1_700_000_000 * NS_PER_S)


# --- Properties of what a pacer would apply, whatever the governor is shown


@dataclass(frozen=True)
class Step:
    """Time passes on both clocks, then a decision is seen, or none, and a hold may stand."""

    monotonic_s: float
    wall_s: float
    age_s: float
    sequence: int | None
    interval_ms: float | None
    valid_for_s: float | None
    seen: bool
    hold_ms: int | None


def floats(low: float, high: float) -> st.SearchStrategy[float | None]:
    odd = st.sampled_from([None, float("nan"), float("inf"), float("-inf"), 0.0, -1.0, 1e-9, 1e300])
    return st.one_of(st.floats(low, high), odd)


STEPS = st.builds(
    Step,
    monotonic_s=st.floats(0.0, 70.0),
    wall_s=st.floats(-200.0, 200.0),
    age_s=st.one_of(st.floats(0.0, 5.0), st.floats(-100.0, 100.0)),
    sequence=st.one_of(st.none(), st.integers(0, 6), st.integers(-(10**19), 10**19)),
    interval_ms=floats(1.0, 20_000.0),
    valid_for_s=floats(0.5, 120.0),
    seen=st.booleans(),
    hold_ms=st.one_of(st.none(), st.integers(1, 10_000)),
)


@dataclass
class World:
    """A governor's memory for one domain, its order file, and the clocks."""

    now: Now = T0
    known: Evidence | None = None
    file: str | None = None

    def applied_ms(self) -> int:
        return effective_interval_ms(self.file, self.now.monotonic_ns, LIMITS.protective_ms)

    def decision(self, step: Step) -> Decision:
        time_ns = self.now.wall_ns - int(step.age_s * NS_PER_S)
        return Decision("web", time_ns, step.sequence, step.interval_ms, step.valid_for_s, "")

    def pass_time(self, step: Step) -> None:
        later_ns = (int(step.monotonic_s * NS_PER_S), int(step.wall_s * NS_PER_S))
        self.now = Now(self.now.monotonic_ns + later_ns[0], self.now.wall_ns + later_ns[1])

    def see(self, decision: Decision | None, hold_ms: int | None) -> int:
        if decision is not None:
            self.known, _ = weigh(self.known, decision, self.now, LIMITS)
        order = govern(self.known, hold_ms, self.now, LIMITS)
        self.file = order.encode() if order is not None else self.file
        return self.applied_ms()

    def copy(self) -> "World":
        return World(self.now, self.known, self.file)


def worlds(steps: Sequence[Step]) -> Iterator[tuple[World, Step]]:
    """The world before each step's sight, after its time has passed."""
    world = World()
    for step in steps:
        world.pass_time(step)
        yield world.copy(), step
        world.see(world.decision(step) if step.seen else None, step.hold_ms)


STREAMS = st.lists(STEPS, min_size=1, max_size=8)


@given(STREAMS)
def test_the_pacer_never_waits_longer_than_the_newest_decision_says(steps: list[Step]) -> None:
    for world, step in worlds(steps):
        decision = world.decision(step)
        if decision.interval_ms is not None and decision.interval_ms > 0:
            applied_ms = world.see(decision, step.hold_ms)
            assert applied_ms <= max(decision.interval_ms, LIMITS.protective_ms)
            assert applied_ms <= LIMITS.max_ms


@given(STREAMS)
def test_a_longer_interval_takes_a_whole_fresh_decision_that_follows(steps: list[Step]) -> None:
    for world, step in worlds(steps):
        before_ms, decision = world.copy().see(None, None), world.decision(step)
        if world.see(decision, None) > before_ms:
            assert decision.sequence is not None
            assert decision.valid_for_s is not None
            assert -LIMITS.future_tolerance_ns <= world.now.wall_ns - decision.time_ns < decision.valid_for_s * NS_PER_S


@given(STREAMS, st.floats(0.0, 300.0))
def test_what_a_decision_gives_is_gone_when_its_validity_is(steps: list[Step], wall_back_s: float) -> None:
    for world, step in worlds(steps):
        decision = world.decision(step)
        world.see(decision, None)
        valid_s = decision.valid_for_s or 0.0
        if world.known and world.known.time_ns == decision.time_ns and 0 < valid_s < 3_600:
            over = Step(valid_s, -wall_back_s, 0.0, None, None, None, seen=False, hold_ms=None)
            world.pass_time(over)
            assert world.see(decision, None) == LIMITS.protective_ms


@given(STREAMS, st.floats(0.0, 100.0))
def test_an_older_decision_never_gives_a_longer_interval(steps: list[Step], older_s: float) -> None:
    for world, step in worlds(steps):
        decision = world.decision(step)
        older = replace(decision, time_ns=decision.time_ns - int(older_s * NS_PER_S))
        if world.known is None and decision.time_ns <= world.now.wall_ns:
            assert world.copy().see(older, None) <= world.copy().see(decision, None)


@given(STREAMS, st.floats(0.0, 100.0))
def test_without_news_the_interval_only_gets_shorter(steps: list[Step], silence_s: float) -> None:
    for world, step in worlds(steps):
        before_ms = world.see(world.decision(step), None)
        world.pass_time(Step(silence_s, -silence_s, 0.0, None, None, None, seen=False, hold_ms=None))
        assert world.see(None, None) <= before_ms


@given(STREAMS, st.integers(1, 10_000))
def test_a_hold_only_shortens(steps: list[Step], hold_ms: int) -> None:
    for world, step in worlds(steps):
        free_ms = world.copy().see(world.decision(step), None)
        held_ms = world.copy().see(world.decision(step), hold_ms)
        assert held_ms <= free_ms
        if govern(world.known, None, world.now, LIMITS) is not None:
            assert held_ms <= max(hold_ms, LIMITS.protective_ms)


def test_an_order_never_reaches_further_than_a_pacer_believes() -> None:
    evidence = Evidence(1, T0.wall_ns, 2_000, T0.monotonic_ns + 300 * NS_PER_S, "")
    order = govern(evidence, None, T0, LIMITS)
    assert order is not None
    assert order.deadline_monotonic_ns == T0.monotonic_ns + MAX_AHEAD_NS


# --- The governor and its files


@dataclass
class Site:
    """A store that holds one decision a domain, whose clock is that of the host, and a governor that asks it."""

    run_dir: Path
    now: Now = T0
    decisions: dict[str, Point] = field(default_factory=dict)
    here: tuple[str, ...] = ("web",)
    told: list[str] = field(default_factory=list)
    kinds: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = DecisionFeed(lambda: cast(Store, self), period_s=60.0, read_clock=lambda: self.now)
        self.governor = self.start()

    def start(self) -> Governor:
        return Governor(
            run_dir=self.run_dir,
            boot_id="boot",
            limits=LIMITS,
            primary=self,
            feed=self.feed,
            events=cast(Events, self),
            period_s=0.01,
            read_clock=lambda: self.now,
        )

    def domains(self) -> frozenset[str]:
        return frozenset(self.here)

    def latest(self, measurement: str, *, since_ns: int, where: object) -> list[Point]:
        return list(self.decisions.values())

    def tell(self, kind: str, text: str, time_ns: int, domain: str) -> None:
        self.told.append(f"{domain}: {text}")
        self.kinds.append((kind, domain))

    def decide(self, sequence: int, interval_ms: float, domain: str = "web", valid_for_s: float = 15.0) -> None:
        fields: dict[str, Value] = {
            "interval_ms": interval_ms,
            "sequence": sequence,
            "valid_for_s": valid_for_s,
            "reason": "calm",
        }
        self.decisions[domain] = Point("decision", {"domain": domain}, fields, self.now.wall_ns)

    def tick(self, seconds: float = 0.0) -> int:
        later_ns = int(seconds * NS_PER_S)
        self.now = Now(self.now.monotonic_ns + later_ns, self.now.wall_ns + later_ns)
        self.feed.wanted = self.domains()
        self.feed.poll(cast(Store, self))
        self.governor.tick()
        return self.applied_ms()

    def applied_ms(self, domain: str = "web") -> int:
        text = read(order_path(self.run_dir, domain))
        return effective_interval_ms(text, self.now.monotonic_ns, LIMITS.protective_ms)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_decision_becomes_an_order_and_an_event(site: Site) -> None:
    site.decide(1, 2_000.0)
    assert site.tick() == 2_000
    assert site.told == ["web: 25 -> 2000 ms: calm"]


def test_a_domain_without_a_decision_has_a_directory_for_its_pacers_reports(site: Site) -> None:
    assert site.tick() == 25
    assert [path.name for path in site.run_dir.iterdir()] == ["web"]
    assert list((site.run_dir / "web").iterdir()) == []


def test_a_dead_predictor_lets_the_order_run_out(site: Site) -> None:
    site.decide(1, 2_000.0)
    assert [site.tick(5.0) for _ in range(4)] == [2_000, 2_000, 25, 25]
    assert site.told[1:] == ["web: 2000 -> 25 ms: no fresh decision"]


def test_an_unchanged_order_is_not_written_again(site: Site) -> None:
    site.decide(1, 2_000.0)
    site.tick()
    before = order_path(site.run_dir, "web").stat().st_ino
    site.tick(1.0)
    assert order_path(site.run_dir, "web").stat().st_ino == before


def test_acts_for_domains_of_this_host_alone(site: Site) -> None:
    site.decide(1, 2_000.0)
    site.decide(1, 2_000.0, "elsewhere")
    site.tick()
    assert [path.name for path in site.run_dir.iterdir()] == ["web"]


def test_a_domain_that_has_left_gets_a_protective_order(site: Site) -> None:
    site.decide(1, 2_000.0)
    site.tick()
    site.here = ()
    assert site.tick(1.0) == 25
    assert Order.parse(read(order_path(site.run_dir, "web")) or "").interval_ms == 25


def test_replications_that_start_and_stop_are_events_but_not_one_that_the_agent_finds(site: Site) -> None:
    site.tick()
    site.here = ("web", "db")
    site.tick(1.0)
    site.tick(1.0)
    site.here = ("db",)
    site.tick(1.0)
    assert site.kinds == [("started", "db"), ("stopped", "web")]


def test_a_hold_shortens_at_the_next_tick_and_ends_by_itself(site: Site) -> None:
    site.decide(1, 2_000.0, valid_for_s=60.0)
    site.tick()
    operator.place(operator.hold_path(site.run_dir, "web"), 100, 10, site.now, "boot")
    assert [site.tick(5.0) for _ in range(3)] == [100, 2_000, 2_000]
    assert site.told[1:] == ["web: 2000 -> 100 ms: held by an operator", "web: 100 -> 2000 ms: calm"]


def test_a_hold_that_cannot_be_read_holds(site: Site) -> None:
    site.decide(1, 2_000.0)
    site.tick()
    operator.hold_path(site.run_dir, "web").write_text("until tomorrow")
    assert site.tick(1.0) == 25


def test_an_order_left_by_a_former_run_runs_out(site: Site) -> None:
    write(order_path(site.run_dir, "web"), Order(1, 2_000, site.now.monotonic_ns + 10 * NS_PER_S))
    site.decide(1, 2_000.0, valid_for_s=60.0)
    site.governor = site.start()
    assert [site.tick(4.0) for _ in range(4)] == [2_000, 2_000, 25, 25]
    site.decide(2, 2_000.0)
    assert site.tick(1.0) == 2_000


def test_an_order_left_for_a_domain_that_has_gone_is_withdrawn(site: Site) -> None:
    write(order_path(site.run_dir, "gone"), Order(1, 2_000, site.now.monotonic_ns + 10 * NS_PER_S))
    site.governor = site.start()
    site.tick()
    assert site.applied_ms("gone") == 25


def test_an_order_that_cannot_be_written_leaves_the_other_domains_alone(site: Site) -> None:
    (site.run_dir / "web").write_text("a file where a directory should be")
    site.here = ("web", "db")
    site.decide(1, 2_000.0)
    site.decide(1, 2_000.0, "db")
    site.tick()
    assert site.applied_ms("db") == 2_000
    assert site.applied_ms("web") == 25


def test_a_stop_leaves_protective_orders(site: Site) -> None:
    site.decide(1, 2_000.0)
    site.tick()
    stop = threading.Event()
    thread = threading.Thread(target=site.governor.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(5.0)
    assert not thread.is_alive()
    assert Order.parse(read(order_path(site.run_dir, "web")) or "").interval_ms == 25


class HangingStore:
    """Answers once, then hangs until it is let go."""

    def __init__(self, point: Point) -> None:
        self.point, self.asked, self.release = point, threading.Semaphore(0), threading.Event()
        self.answered = False

    def latest(self, measurement: str, **_: object) -> list[Point]:
        self.asked.release()
        if self.answered:
            self.release.wait(30.0)
            raise StoreUnavailable("timed out")
        self.answered = True
        return [self.point]

    def close(self) -> None:
        pass


def test_a_store_that_hangs_holds_neither_a_hold_nor_a_stop_up(tmp_path: Path) -> None:
    fields: dict[str, Value] = {"interval_ms": 2_000.0, "sequence": 1, "valid_for_s": 60.0, "reason": "calm"}
    store = HangingStore(Point("decision", {"domain": "web"}, fields, time.time_ns()))
    feed = DecisionFeed(lambda: cast(Store, store), period_s=0.01)
    primary, events = AssumedPrimary(["web"]), Events("a")
    governor = Governor(
        run_dir=tmp_path, boot_id="boot", limits=LIMITS, primary=primary, feed=feed, events=events, period_s=0.01
    )
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in (feed.run, governor.run)]
    for thread in threads:
        thread.start()
    try:
        assert store.asked.acquire(timeout=5.0)
        assert store.asked.acquire(timeout=5.0)
        wait_for(tmp_path, 2_000)
        operator.place(operator.hold_path(tmp_path, "web"), 100, 60, Now.read(), "boot")
        wait_for(tmp_path, 100)
        stop.set()
        threads[1].join(5.0)
        assert not threads[1].is_alive()
        wait_for(tmp_path, 25)
    finally:
        stop.set()
        store.release.set()
        for thread in threads:
            thread.join(5.0)


def wait_for(run_dir: Path, interval_ms: int) -> None:
    """Until the pacer of `web` would apply `interval_ms`."""
    end_s = time.monotonic() + 5.0
    applied_ms = None
    while time.monotonic() < end_s and applied_ms != interval_ms:
        applied_ms = effective_interval_ms(read(order_path(run_dir, "web")), time.monotonic_ns(), LIMITS.protective_ms)
        time.sleep(0.002)
    assert applied_ms == interval_ms
