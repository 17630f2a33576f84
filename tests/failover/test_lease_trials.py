"""Every order of events that lease, fence and record must judge, with the real programs and a real etcd."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from failover import processes, xl
from failover.clock import now_ns
from failover.guard_board import Board, Slot
from telemetry.units import NS_PER_S
from tests.etcd import Member, frozen
from tests.failover.lease_pair import LeasePair
from tests.waiting import wait_for

TTL_S = 1.2
"""Short, so that the tests are."""
WHILE_NS = int(1.5 * TTL_S * NS_PER_S)
"""Long enough for a lease that nobody renews to be won."""


@pytest.fixture
def ttl_s() -> float:
    return TTL_S


@pytest.fixture
def pair(tmp_path: Path, library: Path, member: Member, ttl_s: float) -> Iterator[LeasePair]:
    with ExitStack() as stack:
        pair = LeasePair(tmp_path, library, [member], stack, ttl_s)
        yield pair
        print("a:", pair.a.log(), "b:", pair.b.log(), pair.b.events(), pair.record())


def await_takeover(pair: LeasePair) -> None:
    """The guest runs on b alone, under b's lease, with b's disk, and was not there before a's stood still."""
    wait_for(pair.runs_at_b)
    record = pair.record()
    assert pair.xen.ran()[0] > pair.guest.deadline_ns
    assert (record.holder, record.runner, record.backup) == ("b", "b", "")
    assert record.epoch > pair.guest.epoch
    assert pair.asked("give")[-1] == f"give {pair.domain} b {record.epoch}"
    wait_for(lambda: pair.record().beat > record.beat)
    assert pair.record().epoch == record.epoch
    wait_for(lambda: pair.phase() == "running")
    assert pair.xen.pauses == 0


def stays_asleep(pair: LeasePair) -> bool:
    """For as long as a lease would take to be won."""
    until_ns = now_ns() + WHILE_NS
    wait_for(lambda: now_ns() > until_ns or pair.runs_at_b())
    return not pair.runs_at_b()


def assert_given_up(pair: LeasePair) -> None:
    wait_for(lambda: pair.phase() == "none")
    assert pair.b.domains() == {}
    wait_for(lambda: "event given_up --domain" in pair.b.events())
    assert not pair.runs_at_b()


def test_power_cut_of_the_primary(pair: LeasePair) -> None:
    remus = pair.receive()
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    await_takeover(pair)
    wait_for(lambda: "event takeover --domain" in pair.b.events())
    (told,) = [line for line in pair.b.events().splitlines() if "event takeover" in line]
    for part in ("lease ", "fence ", "record ", "stream ", "guard ", "xl "):
        assert part in told


def test_a_living_primary_that_cannot_renew(pair: LeasePair) -> None:
    """Cut off from etcd: its guard has paused the guest, so that no checkpoint comes; its heartbeat does."""
    remus = pair.receive()
    pair.guest.stop()
    os.kill(remus.pid, signal.SIGSTOP)
    await_takeover(pair)


@pytest.mark.parametrize("victim", ["xl", "sender"])
def test_a_stream_that_ends_wakes_nothing_while_the_primary_holds_its_lease(pair: LeasePair, victim: str) -> None:
    remus = pair.receive()
    if victim == "xl":
        remus.kill()
    else:
        assert processes.kill(processes.sender_of(pair.domain)) == []
    wait_for(lambda: pair.phase() == "held")
    assert stays_asleep(pair)
    assert pair.phase() == "held"
    assert "the stream has ended: the lease is a's" in pair.waits_for()
    pair.guest.tell("")
    assert_given_up(pair)
    assert pair.record().holder == "a"
    assert pair.asked("give") == []


def test_cut_network_between_the_hosts(pair: LeasePair) -> None:
    """The primary lives, and reaches etcd: its guest stays the only one."""
    remus = pair.receive()
    pair.cut_power_of_a(remus)
    wait_for(lambda: "host is silent" in pair.waits_for())
    assert stays_asleep(pair)
    assert pair.record().epoch == pair.guest.epoch
    pair.guest.stop()
    await_takeover(pair)


def test_power_cut_where_the_record_tells_of_no_backup(pair: LeasePair) -> None:
    remus = pair.receive(is_backup=False)
    pair.guest.tell("another copy")
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    wait_for(lambda: "this copy is no backup of it" in pair.waits_for())
    assert stays_asleep(pair)
    assert pair.phase() == "protected"
    assert processes.kill(processes.sender_of(pair.domain)) == []
    assert_given_up(pair)
    assert pair.record().holder == "a"


def test_a_part_of_a_copy_never_runs_whatever_the_record_tells(pair: LeasePair) -> None:
    remus = pair.a.replicate(FAKE_FIRST_COPY_S="300")
    pair.await_domain()
    pair.guest.tell(pair.mark())
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    assert stays_asleep(pair)
    assert processes.kill(processes.sender_of(pair.domain)) == []
    assert_given_up(pair)
    assert pair.record().holder == "a"


def test_a_fence_that_is_not_there_keeps_the_lease_for_others(pair: LeasePair) -> None:
    fate = pair.fate("show-silent")
    remus = pair.receive()
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    wait_for(lambda: "the fence does not answer" in pair.waits_for())
    assert stays_asleep(pair)
    assert pair.record().epoch == pair.guest.epoch
    fate.unlink()
    await_takeover(pair)


def test_a_fence_that_does_not_answer_is_called_again_under_the_same_lease(pair: LeasePair) -> None:
    fate = pair.fate("give-silent")
    remus = pair.receive()
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    wait_for(lambda: len(pair.asked("give")) == 2)
    assert not pair.runs_at_b()
    assert pair.record().runner == "a"
    fate.unlink()
    await_takeover(pair)
    assert len(set(pair.asked("give"))) == 1


def test_a_fence_that_refuses_wakes_nothing(pair: LeasePair) -> None:
    fate = pair.fate("refuses")
    remus = pair.receive()
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    wait_for(lambda: len(set(pair.asked("give"))) == 2)
    assert not pair.runs_at_b()
    assert pair.record().runner == "a"
    fate.unlink()
    await_takeover(pair)


def test_an_etcd_that_does_not_answer_wakes_nothing(pair: LeasePair, member: Member) -> None:
    remus = pair.receive()
    pair.guest.stop()
    with frozen(member):
        remus.kill()
        wait_for(lambda: "no answer of the lease server" in pair.waits_for())
        assert stays_asleep(pair)
        assert pair.phase() == "held"
    await_takeover(pair)


def test_an_etcd_that_does_not_answer_once_the_lease_is_won(pair: LeasePair, member: Member) -> None:
    """What was asked may be done late, so that epoch is over."""
    pair.receive()
    fate = await_call_of_the_fence(pair)
    with frozen(member):
        fate.unlink()
        wait_for(lambda: "no answer of the lease server" in pair.waits_for())
        assert stays_asleep(pair)
    await_takeover(pair)


def test_a_receiver_that_was_frozen_with_the_lease_has_lost_it(pair: LeasePair) -> None:
    pair.receive()
    fate = await_call_of_the_fence(pair)
    receiver = pair.receivers.processes[0]
    receiver.send_signal(signal.SIGSTOP)
    fate.unlink()
    pair.guest.regain()
    receiver.send_signal(signal.SIGCONT)
    assert_given_up(pair)
    assert pair.record().epoch == pair.guest.epoch
    assert pair.record().runner == "a"


def test_a_host_without_its_guard_wins_nothing(pair: LeasePair) -> None:
    remus = pair.receive()
    pair.guard.kill()
    pair.guard.wait()
    pair.guest.stop()
    pair.cut_power_of_a(remus)
    wait_for(lambda: "this host's guard is not awake" in pair.waits_for())
    assert stays_asleep(pair)
    assert pair.record().holder == "a"
    pair.start_of_b("guard")
    await_takeover(pair)


def test_a_guard_that_dies_before_it_was_told_is_told_again(pair: LeasePair) -> None:
    pair.receive()
    kill_guard_while_the_fence_is_called(pair)
    wait_for(lambda: pair.record().runner == "b")
    wait_for(lambda: "guard has not taken the lease up" in pair.waits_for())
    assert not pair.runs_at_b()
    pair.start_of_b("guard")
    wait_for(pair.runs_at_b)
    assert pair.record().holder == "b"
    assert Board(pair.b.run_dir, pair.domain)[Slot.EPOCH] == pair.record().epoch


@pytest.mark.parametrize("step", ["protected", "waits for the lease", "calls the fence", "is the guest"])
def test_a_receiver_that_dies_wakes_nothing(pair: LeasePair, step: str) -> None:
    remus = pair.receive()
    match step:
        case "waits for the lease":
            remus.kill()
            wait_for(lambda: pair.phase() == "held")
        case "calls the fence":
            await_call_of_the_fence(pair)
        case "is the guest":
            kill_guard_while_the_fence_is_called(pair)
            wait_for(lambda: pair.record().runner == "b")
    found = processes.marked(xl.MARK, pair.mark())
    assert found
    for receiver in pair.receivers.processes:
        receiver.kill()
    assert_given_up(pair)
    assert [process for process in found if processes.living(process.pid) == process] == []
    assert stays_asleep(pair)


def await_call_of_the_fence(pair: LeasePair) -> Path:
    """The lease is b's, and the fence silent until the file is gone."""
    fate = pair.fate("give-silent")
    pair.guest.stop()
    assert processes.kill(processes.sender_of(pair.domain)) == []
    wait_for(lambda: pair.asked("give"))
    return fate


def kill_guard_while_the_fence_is_called(pair: LeasePair) -> None:
    fate = await_call_of_the_fence(pair)
    pair.guard.kill()
    pair.guard.wait()
    fate.unlink()


@pytest.mark.parametrize("ttl_s", [20.0])
def test_a_guest_that_is_handed_over_wakes_before_the_lease_would_have_ended(pair: LeasePair, ttl_s: float) -> None:
    pair.receive()
    began_ns = now_ns()
    pair.guest.hand_over()
    told = pair.b.act("take-over", "--force")
    assert told[0] == 0, told
    await_takeover(pair)
    assert pair.xen.ran()[0] - began_ns < ttl_s * NS_PER_S


def test_an_operators_word_takes_nothing_from_who_holds_the_lease(pair: LeasePair) -> None:
    pair.receive()
    command = pair.b.start(*pair.b.words("take-over", "--force", "--domain", pair.domain))
    wait_for(lambda: "the guest is to be taken over: the lease is a's, until it gives it back" in pair.b.log())
    assert stays_asleep(pair)
    assert command.poll() is None
    pair.guest.stop()
    await_takeover(pair)
    assert command.wait(20) == 0
