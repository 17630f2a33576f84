"""Which copy may take over, as its replication begins, goes on and ends: the real programs, guards, and etcd."""

import subprocess

import pytest

from failover import guard_store, processes
from failover.guard_board import Board, Slot
from tests.etcd import Member, frozen
from tests.failover.guarded_pair import GuardedPair
from tests.waiting import wait_for


def test_a_protected_guest(pair: GuardedPair) -> None:
    pair.named()
    assert pair.record().backup == pair.mark()
    wait_for(lambda: pair.status(pair.a)[0] == 0)
    seen = pair.status(pair.a)[1]
    assert (seen["holder"], seen["runner"], seen["disk_owner"], seen["problems"]) == ("a", "a", "a", [])
    assert (seen["protected"], seen["epoch"]) == (True, seen["disk_epoch"])
    guard_store.alone(pair.a.run_dir, pair.domain)
    wait_for(lambda: pair.record().backup == "")
    code, seen = pair.status(pair.a)  # though the stream goes on, and the copy is whole
    assert (code, seen["protected"], seen["problems"]) == (3, False, [])


@pytest.mark.parametrize("victim", ["xl", "receiver"])
def test_no_copy_may_take_over_after_the_end_of_its_stream(pair: GuardedPair, victim: str) -> None:
    remus = pair.named()
    if victim == "xl":
        remus.kill()
    else:
        pair.receivers.processes[0].kill()
    remus.wait()
    assert pair.a.act("settle")[0] == 0
    assert pair.record().backup == ""
    wait_for(lambda: pair.b.domains() == {})
    assert pair.runs_at_a()


@pytest.mark.parametrize("victim", ["sender", "receiver"])
def test_the_record_is_written_before_anybody_settles(pair: GuardedPair, victim: str) -> None:
    pair.named()
    if victim == "sender":
        assert processes.kill(processes.sender_of(pair.domain)) == []
    else:
        pair.receivers.processes[0].kill()
    wait_for(lambda: pair.record().backup == "")
    assert pair.told(pair.a).epoch == pair.record().epoch


def test_an_etcd_that_does_not_answer_hears_of_the_streams_end_later(pair: GuardedPair, member: Member) -> None:
    remus = pair.named()
    epoch = pair.record().epoch
    with frozen(member):
        remus.kill()
        code, told = pair.a.act("settle")
        assert (code, pair.runs_at_a()) == (1, False)
        assert "a copy of it may still take over" in told["error"]
    wait_for(pair.runs_at_a)
    wait_for(lambda: pair.record().backup == "")
    assert pair.record().runner == "a"
    assert pair.record().epoch >= epoch


def test_a_new_guard_carries_out_what_the_dead_one_was_told(pair: GuardedPair) -> None:
    pair.named()
    pair.kill(pair.a, "guard")
    guard_store.alone(pair.a.run_dir, pair.domain)
    pair.begin(pair.a, "guard")
    wait_for(lambda: pair.record().backup == "")
    wait_for(pair.runs_at_a)


def test_a_guard_that_died_while_it_wrote_gives_its_epoch_back(pair: GuardedPair, member: Member) -> None:
    epoch, board = pair.record().epoch, Board(pair.a.run_dir, pair.domain)
    with frozen(member):
        guard_store.protect(pair.a.run_dir, pair.domain, epoch, "copy")
        wait_for(lambda: board[Slot.TELLING] == epoch)
        pair.kill(pair.a, "guard")
    pair.begin(pair.a, "guard")
    wait_for(lambda: pair.told(pair.a).epoch > epoch)
    wait_for(pair.runs_at_a)


def test_a_copy_stays_the_backup_over_a_lease_that_was_lost_and_won_again(pair: GuardedPair, member: Member) -> None:
    pair.named()
    pair.kill(pair.a, "guard")
    wait_for(lambda: not pair.runs_at_a())
    pair.begin(pair.a, "guard")
    wait_for(pair.runs_at_a)
    assert pair.record().backup == pair.mark()
    wait_for(lambda: pair.told(pair.a).backup == pair.mark())


def test_release(pair: GuardedPair) -> None:
    remus = pair.named()
    code, told = pair.a.act("release")
    assert (code, told["peer_answered"]["had_copy"], pair.record().backup) == (0, True, "")
    remus.wait()
    assert pair.runs_at_a()
    assert pair.b.domains() == {}


def test_release_where_the_peer_is_dead(pair: GuardedPair) -> None:
    remus = pair.named()
    pair.cut_power_of_b()
    code, told = pair.a.act("release")
    assert (code, pair.record().backup) == (0, ""), told
    remus.wait()
    assert pair.runs_at_a()


def test_release_ends_nothing_while_the_record_cannot_be_written(pair: GuardedPair) -> None:
    remus = pair.named()
    pair.kill(pair.a, "guard")
    code, told = pair.a.act("release")
    assert (code, remus.poll()) == (1, None)
    assert f"hefery-guard@{pair.domain} is not awake" in told["error"]


def test_release_of_a_guest_that_is_gone_says_so(pair: GuardedPair) -> None:
    remus = pair.named()
    subprocess.run([pair.a.folder / "bin" / "xl", "destroy", pair.domain], env=pair.a.environment, check=True)
    remus.wait()
    code, told = pair.a.act("release")
    assert code == 1
    assert "is not here any more" in told["error"]


def test_nothing_is_replicated_while_an_older_copy_might_take_over(pair: GuardedPair) -> None:
    pair.kill(pair.a, "guard")
    assert pair.a.replicate().wait(30) == 1
    assert "that no copy may take over could not be written" in pair.a.log()
    assert pair.b.domains() == {}
