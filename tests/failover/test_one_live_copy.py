"""Faults at random moments, with guards on both hosts: two copies never run, and one runs again."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from failover import processes
from failover.clock import now_ns
from telemetry.units import NS_PER_MS, NS_PER_S
from tests.etcd import Member
from tests.failover.guarded_pair import GuardedPair
from tests.waiting import wait_for

UNTIL_ITS_GUARD_LOOKS_NS = NS_PER_S // 2
"""A host that stood still as a whole cannot know it at once; its guard looks ten times a second."""


@pytest.fixture
def guarded() -> str:
    return "ab"


class Trial:
    """A protected guest, and what may happen to it."""

    def __init__(self, pair: GuardedPair, member: Member, chance: random.Random) -> None:
        self.pair, self.member, self.chance = pair, member, chance
        self.remus = pair.named()
        self.thawed_ns: list[int] = []

    def runs(self, host: str) -> bool:
        ran = self.pair.xen[host].ran()
        return bool(ran) and now_ns() - ran[-1] < 100 * NS_PER_MS

    def freeze_a(self, for_s: float) -> None:
        """All of it; the guest goes on before its guard."""
        pair, guest = self.pair, self.pair.xen["a"].guest
        assert guest is not None
        own = [pair.guards["a", "guard"], pair.guards["a", "minder"], pair.heartbeats["a"], self.remus]
        pids = [process.pid for process in own] + [process.pid for process in processes.sender_of(pair.domain)]
        _tell([*pids, guest.pid], signal.SIGSTOP)
        threading.Event().wait(for_s)
        self.thawed_ns.append(now_ns())
        is_paused = pair.xen["a"].pauses > 0  # which the stand-in for Xen tells it by the same signal
        _tell(pids if is_paused else [guest.pid, *pids], signal.SIGCONT)

    def freeze_b(self, for_s: float) -> None:
        pair = self.pair
        own = [pair.guards["b", "guard"], pair.guards["b", "minder"], pair.heartbeats["b"], *pair.receivers.processes]
        _freeze([process.pid for process in own], for_s)

    def freeze_etcd(self, for_s: float) -> None:
        assert self.member.process is not None
        _freeze([self.member.process.pid], for_s)

    def silence_fence(self, for_s: float) -> None:
        silent = self.pair.fence / "silent"
        silent.touch()
        threading.Event().wait(for_s)
        silent.unlink()

    def kill_guard_of_a(self, for_s: float) -> None:
        self.pair.kill(self.pair.a, "guard")
        threading.Event().wait(for_s)
        self.pair.begin(self.pair.a, "guard")

    def end_stream(self, _: float) -> None:
        """What remus@.service does then is `settle`."""
        processes.kill(processes.sender_of(self.pair.domain))
        self.remus.wait()
        self.pair.a.act("settle")

    def kill_xl(self, _: float) -> None:
        self.remus.kill()
        self.remus.wait()
        self.pair.a.act("settle")

    def assert_one_live_copy(self) -> None:
        wait_for(lambda: self.runs("a") != self.runs("b"), 40)
        there = "a" if self.runs("a") else "b"
        record = self.pair.record()
        assert (record.runner, record.holder, self.pair.owner()) == (there, there, there)
        ran = {host: self.pair.xen[host].ran() for host in ("a", "b")}
        began_ns = min(ran["b"], default=now_ns())
        late_ns = [at_ns for at_ns in ran["a"] if at_ns >= began_ns]
        assert all(
            any(0 <= at_ns - then_ns < UNTIL_ITS_GUARD_LOOKS_NS for then_ns in self.thawed_ns) for at_ns in late_ns
        )


def _tell(pids: list[int], number: signal.Signals) -> None:
    """Those that there are."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _freeze(pids: list[int], for_s: float) -> None:
    _tell(pids, signal.SIGSTOP)
    threading.Event().wait(for_s)
    _tell(pids, signal.SIGCONT)


def trial_of(pair: GuardedPair, member: Member, seed: int) -> tuple[Trial, list[Callable[[float], None]]]:
    chance = random.Random(seed)
    trial = Trial(pair, member, chance)
    faults = [
        trial.freeze_a,
        trial.freeze_b,
        trial.freeze_etcd,
        trial.silence_fence,
        trial.kill_guard_of_a,
        trial.end_stream,
        trial.kill_xl,
    ]
    return trial, chance.sample(faults, k=2)


def test_a_frozen_primary_that_goes_on_is_destroyed(pair: GuardedPair, member: Member) -> None:
    trial = Trial(pair, member, random.Random(0))
    freezing = threading.Thread(target=trial.freeze_a, args=[7.0])
    freezing.start()
    wait_for(lambda: trial.runs("b"))
    assert not trial.thawed_ns
    freezing.join()
    wait_for(lambda: not pair.xen["a"].is_there)
    wait_for(lambda: "event superseded" in pair.a.events())
    trial.assert_one_live_copy()
    assert trial.runs("b")


@pytest.mark.parametrize("seed", [1])  # more were tried: each takes seconds
def test_pairs_of_faults(pair: GuardedPair, member: Member, seed: int) -> None:
    trial, faults = trial_of(pair, member, seed)
    threads = []
    for fault in faults:
        threads.append(threading.Thread(target=fault, args=[trial.chance.uniform(0.5, 6.0)]))
        threads[-1].start()
        threading.Event().wait(trial.chance.uniform(0.0, 3.0))
    for thread in threads:
        thread.join()
    trial.assert_one_live_copy()
