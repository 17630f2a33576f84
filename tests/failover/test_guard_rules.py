"""The guard's rules against any answers in any order and at any time, and each rule by itself."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from failover.guard_answers import hand_over, heard, unanswered
from failover.guard_rules import decide, may_run
from failover.guard_state import (
    OF_FENCE,
    Act,
    Answer,
    Answers,
    Ask,
    Decision,
    Denied,
    Evidence,
    Given,
    Limits,
    State,
    Won,
)
from failover.hypervisor import DomainState
from failover.lease import Held, Noted, Refused, Released, Unknown
from failover.lease_record import Record
from telemetry.units import NS_PER_MS, NS_PER_S

LIMITS = Limits(
    "a", pause_ns=1500 * NS_PER_MS, margin_ns=500 * NS_PER_MS, renew_ns=500 * NS_PER_MS, away_ns=5 * NS_PER_S
)
TTL_NS = LIMITS.pause_ns + LIMITS.margin_ns
RUNS, PAUSED = DomainState(is_paused=False), DomainState(is_paused=True)
SILENCE = Unknown("no answer in time")


@dataclass
class World:
    """A guest, its guard, and servers that answer as they are told; it keeps what was truly answered."""

    now_ns: int = 1000 * NS_PER_S
    state: State = field(default_factory=State)
    runs: bool = True
    is_paused_by_us: bool = False
    is_here: bool = True
    epochs: int = 10
    asked: dict[bool, tuple[Ask, int, int, str]] = field(default_factory=dict)
    """Of the fence or not: what, under which epoch, when, and which mark is to be told."""
    wanted: str | None = None
    backup: str = ""
    """As etcd has it."""
    unheard: list[tuple[int, str]] = field(default_factory=list)
    """Epoch and mark of what was to be told, and may arrive late."""
    renewed_ns: dict[int, int] = field(default_factory=dict)
    """When the last request was sent that was answered with yes, by epoch."""
    given: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    is_superseded: bool = False
    last: Decision | None = None

    def step(self, *, is_known: bool = True) -> Decision:
        domain = DomainState(not self.runs) if self.is_here and is_known else None
        evidence = Evidence(
            domain,
            is_known=is_known,
            is_paused_by_us=self.is_paused_by_us,
            is_lease_asked=False in self.asked,
            is_fence_asked=True in self.asked,
            wanted=self.wanted,
        )
        self.state, done = decide(self.state, self.now_ns, evidence, LIMITS)
        if done.act is Act.PAUSE:
            self.runs, self.is_paused_by_us = False, True
        elif done.act is Act.UNPAUSE:
            self.runs, self.is_paused_by_us = True, False
        elif done.act is Act.DESTROY:
            assert self.is_superseded, "destroyed, and nobody had said so"
            assert not self.runs
            self.is_here = False
        for ask in done.asks:
            of_fence = ask in OF_FENCE
            assert of_fence not in self.asked, "two questions at a time"
            self.asked[of_fence] = ask, done.epoch, self.now_ns, done.mark
        self.last = done
        return done

    def hear(self, of_fence: bool, answer: Answer) -> None:
        ask, epoch, _, mark = self.asked.pop(of_fence)
        if isinstance(answer, Unknown):
            self.unheard += [(epoch, mark)] if ask is Ask.TELL else []
            self.state = unanswered(self.state, ask, answer.reason, self.now_ns, LIMITS)
        else:
            self.state = heard(self.state, answer, self.now_ns, LIMITS)

    def yes(self, of_fence: bool, *, is_told: bool = True) -> Answer:
        """What a server says that does as it was asked."""
        ask, epoch, sent_ns, mark = self.asked[of_fence]
        assert not (ask is Ask.RELEASE and self.runs), "given back while it runs"
        match ask:
            case Ask.LOOK:
                return Refused(Record(self.epochs, 0, "a", 2.0, "n", 1, "a", self.epochs, self.backup))
            case Ask.CLAIM:
                self.epochs += 10
                self.renewed_ns[self.epochs] = sent_ns
                self.told |= {self.epochs} if is_told else set()
                return Won(Held(self.epochs, sent_ns + TTL_NS), is_told, self.backup)
            case Ask.RENEW:
                self.renewed_ns[epoch] = sent_ns
                return Held(epoch, sent_ns + TTL_NS)
            case Ask.TELL:
                self.told.add(epoch)
                self.backup = mark
                return Noted()
            case Ask.END | Ask.RELEASE:
                return Released()
            case Ask.FENCE:
                self.given.add(epoch)
        return Given(epoch) if ask is Ask.FENCE else Answers()

    def no(self, of_fence: bool, runner: str) -> Answer:
        ask, epoch, *_ = self.asked[of_fence]
        if of_fence:
            return Denied(epoch, "a higher epoch") if ask is Ask.FENCE else SILENCE
        self.epochs += 10
        self.is_superseded |= runner == "b"
        self.renewed_ns.pop(epoch, None)
        return Refused(Record(self.epochs, 1, "b", 2.0, "n", 1, runner, self.epochs, ""))

    def arrive(self) -> None:
        """What nobody has heard of is done after all, where its epoch is still the newest."""
        for epoch, mark in self.unheard:
            self.backup = mark if epoch == self.epochs else self.backup
        self.unheard.clear()

    def check_backup(self) -> None:
        """What the guard takes the record for is what it is."""
        is_held = self.state.epoch == self.epochs
        assert not is_held or self.state.backup in {None, self.backup}

    def check(self) -> None:
        """Who runs does so under a lease of that age, with the disk, told of, and nobody has said otherwise."""
        if not self.is_here or not self.runs:
            return
        epoch = self.state.epoch
        assert self.renewed_ns[epoch] <= self.now_ns < self.renewed_ns[epoch] + LIMITS.pause_ns
        assert epoch in self.given
        assert epoch in self.told
        assert not self.is_superseded

    def settle(self) -> None:
        """Everybody answers at once, for as long as a guard may wait at most."""
        end_ns = self.now_ns + LIMITS.away_ns + 5 * NS_PER_S
        while self.now_ns < end_ns:
            self.step()
            self.check()
            for of_fence in list(self.asked):
                self.hear(of_fence, self.yes(of_fence))
            self.now_ns += 50 * NS_PER_MS


moments = st.tuples(
    st.one_of(st.integers(0, 200), st.integers(0, 5000)),  # ms that pass
    st.sampled_from(["yes", "yes", "untold", "silence", "wait", "wait", "no:a", "no:", "no:b"]),
    st.sampled_from(["yes", "yes", "silence", "wait", "no"]),
    st.sampled_from([True, True, True, True, False]),  # whether Xen can tell
)


@settings(max_examples=400)
@given(st.lists(moments, max_size=60))
def test_the_guest_runs_only_within_its_deadline_whatever_is_answered(steps: list[tuple[int, str, str, bool]]) -> None:
    world = World()
    for passed_ms, lease, fence, is_known in steps:
        world.step(is_known=is_known)
        if world.is_here:
            world.check()
        for of_fence, word in ((False, lease), (True, fence)):
            if of_fence not in world.asked or word == "wait":
                continue
            if word == "silence":
                world.hear(of_fence, SILENCE)
            elif word.startswith("no"):
                world.hear(of_fence, world.no(of_fence, word.partition(":")[2]))
            else:
                world.hear(of_fence, world.yes(of_fence, is_told=word == "yes"))
        world.now_ns += passed_ms * NS_PER_MS
    for of_fence in list(world.asked):
        world.hear(of_fence, SILENCE)
    world.settle()
    assert world.is_here is not world.is_superseded
    assert not world.is_here or world.runs


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([20, 100, 600, 2500]),
            st.sampled_from(["yes", "yes", "yes", "silence", "wait", "no:a"]),
            st.sampled_from([None, "", "copy"]),
            st.booleans(),
        ),
        max_size=60,
    ),
    st.sampled_from(["", "copy"]),
)
def test_the_record_is_as_the_guard_takes_it_and_at_last_as_it_is_wanted(
    steps: list[tuple[int, str, str | None, bool]], at_last: str
) -> None:
    world = World()
    for passed_ms, word, world.wanted, has_arrived in steps:
        world.step()
        for of_fence in list(world.asked):
            if word == "silence":
                world.hear(of_fence, SILENCE)
            elif word == "no:a" and not of_fence:
                world.hear(of_fence, world.no(of_fence, "a"))
            elif word != "wait":
                world.hear(of_fence, world.yes(of_fence))
        if has_arrived:
            world.arrive()
        world.check_backup()
        world.now_ns += passed_ms * NS_PER_MS
    world.wanted = at_last
    world.settle()
    world.arrive()
    world.check_backup()
    assert (world.backup, world.state.backup) == (at_last, at_last)


@pytest.fixture
def world() -> World:
    """It runs, renewed just now."""
    world = World()
    world.settle()
    assert world.runs
    return world


def test_it_begins_paused_and_asks_the_fence_before_the_lease() -> None:
    world = World()
    first = world.step()
    assert (first.act, first.asks) == (Act.PAUSE, (Ask.PROBE,))
    world.hear(True, Answers())
    assert world.step().asks == (Ask.CLAIM,)
    world.hear(False, world.yes(False, is_told=False))
    assert world.step().asks == (Ask.FENCE,)
    world.hear(True, world.yes(True))
    assert world.step().asks == (Ask.TELL,)
    world.hear(False, world.yes(False))
    assert world.step().act is Act.UNPAUSE


def test_an_answer_to_an_older_question_does_not_put_the_fences_call_off() -> None:
    held = Held(9, TTL_NS)
    won = heard(State(), Won(held, is_told=True), 0, LIMITS)
    probed = heard(won, Answers(), 1, LIMITS)
    assert Ask.FENCE in decide(probed, 1, Evidence(PAUSED, is_paused_by_us=True), LIMITS)[1].asks


def test_it_is_paused_at_the_deadline_and_not_before(world: World) -> None:
    deadline_ns = world.state.deadline_ns
    world.now_ns = deadline_ns - 1
    assert world.step().act is Act.HOLD
    world.now_ns = deadline_ns
    assert world.step().act is Act.PAUSE


def test_the_deadline_counts_from_the_asking(world: World) -> None:
    world.now_ns = sent_ns = world.state.ask_ns
    assert world.step().asks == (Ask.RENEW,)
    world.now_ns += 300 * NS_PER_MS
    world.hear(False, world.yes(False))
    assert world.state.deadline_ns == sent_ns + LIMITS.pause_ns


def test_silence_keeps_the_epoch_and_tries_again_sooner(world: World) -> None:
    world.now_ns = world.state.ask_ns
    world.step()
    world.hear(False, SILENCE)
    assert world.state.ask_ns == world.now_ns + LIMITS.renew_ns // 5
    assert world.step().act is Act.HOLD


def test_silence_never_destroys(world: World) -> None:
    for _ in range(1000):
        world.now_ns += NS_PER_S
        assert world.step().act is not Act.DESTROY
        for of_fence in list(world.asked):
            world.hear(of_fence, SILENCE)
    assert not world.runs
    assert "no answer" in (world.last or world.step()).reason


def test_a_record_that_may_be_written_late_ends_the_epoch(world: World) -> None:
    told = replace(world.state, is_told=False)
    world.state, world.now_ns = told, told.ask_ns
    assert world.step().asks == (Ask.TELL,)
    world.hear(False, SILENCE)
    assert world.state.epoch == 0


@pytest.mark.parametrize(("runner", "is_lost"), [("a", False), ("", False), ("b", True)])
def test_only_a_guest_of_another_host_is_destroyed(world: World, runner: str, is_lost: bool) -> None:
    world.now_ns = world.state.ask_ns
    world.step()
    world.hear(False, world.no(False, runner))
    assert world.step().act is Act.PAUSE
    world.now_ns += NS_PER_S
    last = world.step()
    assert last.act is (Act.DESTROY if is_lost else Act.HOLD)
    assert bool(world.asked) is not is_lost


@pytest.mark.parametrize("answer", [Held(10, 10**18), Given(10), Denied(10, "older")])
def test_an_answer_for_another_epoch_changes_nothing(answer: Answer) -> None:
    state = State(epoch=20, last_epoch=20, is_told=True)
    assert heard(state, answer, 5, LIMITS) == state
    assert heard(State(), answer, 5, LIMITS) == State()


def test_an_old_word_of_another_host_is_a_contradiction(world: World) -> None:
    world.now_ns = world.state.ask_ns
    world.step()
    epoch = world.state.epoch
    world.hear(False, Refused(Record(epoch, 1, "b", 2.0, "n", 1, "b", epoch - 1, "")))
    for _ in range(5):
        world.now_ns += NS_PER_MS
        assert world.step().act in {Act.PAUSE, Act.HOLD}
    assert "contradicts" in world.step().reason


def test_a_clock_that_went_back_pauses_until_a_renewal(world: World) -> None:
    world.now_ns -= 100 * NS_PER_S
    assert world.step().act is Act.PAUSE
    world.state = replace(world.state, ask_ns=0)
    world.step()
    world.hear(False, world.yes(False))
    assert world.step().act is Act.UNPAUSE


def test_what_xen_cannot_tell_pauses(world: World) -> None:
    assert world.step(is_known=False).act is Act.PAUSE


def test_an_unpause_by_hand_is_undone() -> None:
    evidence = Evidence(RUNS, is_paused_by_us=True)
    assert decide(State(), 1, evidence, LIMITS)[1].act is Act.PAUSE
    assert decide(State(), 1, replace(evidence, domain=PAUSED), LIMITS)[1].act is Act.HOLD


def test_a_guest_that_an_operator_has_paused_stays_so(world: World) -> None:
    evidence = Evidence(PAUSED)
    assert decide(world.state, world.now_ns, evidence, LIMITS)[1].act is Act.HOLD


def test_a_lease_without_its_disk_is_left_to_others_and_given_back() -> None:
    world = World()
    world.step()
    world.hear(True, Answers())
    world.step()
    world.hear(False, world.yes(False))
    epoch = world.state.epoch
    while Ask.RELEASE not in world.step().asks:
        for of_fence in list(world.asked):
            world.hear(of_fence, SILENCE if of_fence else world.yes(False))
        world.now_ns += 100 * NS_PER_MS
        assert world.now_ns < 1020 * NS_PER_S
    left_ns = world.now_ns
    assert world.asked[False][:2] == (Ask.RELEASE, epoch)
    world.hear(False, SILENCE)
    world.now_ns += NS_PER_S
    world.step()
    assert world.asked[False][:2] == (Ask.RELEASE, epoch)
    world.hear(False, Released())
    await_claim(world)
    assert world.now_ns - left_ns >= LIMITS.away_ns
    world.hear(False, Won(Held(epoch, world.now_ns + TTL_NS), is_told=True))
    assert world.state.epoch == 0


def test_a_guest_is_paused_then_given_back_then_left_to_the_other(world: World) -> None:
    epoch = world.state.epoch
    assert hand_over(world.state, epoch - 1, world.now_ns) == world.state
    world.state = hand_over(world.state, epoch, world.now_ns)
    first = world.step()
    assert (first.act, Ask.RELEASE in first.asks) == (Act.PAUSE, False)
    assert Ask.RELEASE in world.step().asks
    world.hear(False, Released())
    since_ns = world.now_ns
    await_claim(world)
    assert world.now_ns - since_ns >= 10 * NS_PER_S
    world.hear(False, world.no(False, "b"))
    assert world.step().act is Act.DESTROY


def test_a_guest_that_the_other_has_taken_is_destroyed_at_once(world: World) -> None:
    world.state = hand_over(world.state, world.state.epoch, world.now_ns)
    world.step()
    world.step()
    world.hear(False, Released())
    world.now_ns += NS_PER_S
    assert Ask.LOOK in world.step().asks
    world.hear(False, world.no(False, "b"))
    assert world.step().act is Act.DESTROY


def await_claim(world: World) -> None:
    """All that is asked before that is answered."""
    while True:
        world.step()
        if False in world.asked and world.asked[False][0] is Ask.CLAIM:
            return
        for of_fence in list(world.asked):
            world.hear(of_fence, world.yes(of_fence))
        world.now_ns += 100 * NS_PER_MS


@pytest.mark.parametrize(("has_halted", "asks"), [(True, (Ask.END,)), (False, ())])
def test_a_guest_that_is_gone(world: World, has_halted: bool, asks: tuple[Ask, ...]) -> None:
    gone = Evidence(None, has_halted=has_halted)
    epoch = world.state.epoch
    state, done = decide(world.state, world.now_ns, gone, LIMITS)
    assert (state.epoch, done.act, done.asks, done.epoch if asks else epoch) == (0, Act.HOLD, asks, epoch)
    assert decide(state, world.now_ns, gone, LIMITS)[1].asks == ()


def test_one_that_halts_while_its_lease_is_renewed_waits_for_the_answer(world: World) -> None:
    gone = Evidence(None, has_halted=True, is_lease_asked=True)
    state, done = decide(world.state, world.now_ns, gone, LIMITS)
    assert (state.epoch, done.asks) == (world.state.epoch, ())


def test_a_mark_is_told_at_once_and_once(world: World) -> None:
    world.wanted = "copy"
    assert world.step().asks == (Ask.TELL,)
    while_asking = world.state
    assert while_asking.backup is None
    world.hear(False, world.yes(False))
    assert (world.state.backup, world.backup) == ("copy", "copy")
    assert world.step().asks == ()
    world.wanted = None
    assert world.step().asks == ()


def test_a_claim_that_was_refused_for_this_hosts_own_lease_ends_nothing(world: World) -> None:
    own = Record(world.state.epoch, 1, "a", 2.0, "n", 1, "a", world.state.epoch, "")
    assert heard(world.state, Refused(own), world.now_ns, LIMITS) == world.state
    lost = replace(own, beat=0)
    assert heard(world.state, Refused(lost), world.now_ns, LIMITS).epoch == 0


def test_an_answer_for_a_guard_that_was_armed_meanwhile_tells_of_no_backup() -> None:
    armed = State(epoch=20, last_epoch=20, is_fenced=True, is_told=True, backup="")
    assert heard(armed, Noted(), 5, LIMITS) == armed
    assert unanswered(armed, Ask.TELL, "silence", 5, LIMITS).epoch == 20


def test_nothing_may_run_at_first() -> None:
    assert not may_run(State(), 0, LIMITS)
