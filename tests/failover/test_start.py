"""The start of a guest that is nowhere: the real programs, guards, and etcd."""

import os

import pytest

from failover import guard_store
from failover.lease import Held, Noted
from tests.etcd import Member
from tests.failover.guarded_pair import GuardedPair
from tests.waiting import wait_for


@pytest.fixture
def is_there() -> bool:
    return False


def test_a_guest_is_started_once(pair: GuardedPair) -> None:
    code, told = pair.a.act("start")
    assert (code, told.get("was_here")) == (0, False), told
    record = pair.record()
    assert (record.holder, record.runner, record.backup, record.epoch) == ("a", "a", "", told["epoch"])
    assert pair.owner() == "a"
    wait_for(pair.runs_at_a)
    assert (pair.xen["a"].pauses, pair.told(pair.a).epoch) == (0, record.epoch)
    beat = record.beat
    wait_for(lambda: pair.record().beat > beat)
    assert pair.a.act("start")[1]["was_here"] is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may schedule in real time")
def test_a_busy_host_comes_to_renew_and_not_to_what_it_waits_for(pair: GuardedPair) -> None:
    assert pair.a.act("start")[0] == 0
    assert (pair.a.folder / "creates").read_text() == f"{os.SCHED_RR} {os.SCHED_OTHER}"


def test_what_stands_in_the_way_leaves_nothing(pair: GuardedPair) -> None:
    for claims, path, text, said in (
        (False, pair.b.folder / "domains", f"{pair.domain} -b----\n", "is on b already"),
        (False, pair.b.folder / "domains", f"{pair.domain}--incoming --p---\n", "is on b: it takes over by itself"),
        (False, pair.fence / "silent", "", "the fence does not answer"),
        (True, pair.a.folder / "no-create", "", "xl create"),
        (True, pair.fence / "owner", "1000000 b\n", "the disk is not to be had: epoch"),
    ):
        before = path.read_text() if path.exists() else None
        path.write_text(text)
        code, told = pair.a.act("start")
        assert (code, pair.a.domains(), pair.record().is_held) == (1, {}, False)
        assert said in told["error"]
        assert bool(pair.record().epoch) is claims
        path.unlink() if before is None else path.write_text(before)


def test_a_silent_host_may_have_it_unless_it_is_off(pair: GuardedPair) -> None:
    pair.receivers.close()
    code, told = pair.a.act("start")
    assert code == 1
    assert "add --peer-is-off" in told["error"]
    assert pair.a.act("start", "--peer-is-off")[0] == 0
    wait_for(pair.runs_at_a)


def test_the_host_that_the_record_names_may_be_gone(pair: GuardedPair) -> None:
    won = pair.lease.acquire()
    assert isinstance(won, Held), won
    assert isinstance(pair.lease.note(won.epoch, "copy"), Noted)
    code, told = pair.a.act("start")
    assert code == 0, told
    record = pair.record()
    assert (record.runner, record.backup) == ("a", "")
    assert record.epoch > won.epoch


def test_a_guest_without_a_guard_is_not_started(pair: GuardedPair) -> None:
    pair.kill(pair.a, "guard")
    wait_for(lambda: guard_store.current(pair.a.run_dir, pair.domain) is None)
    assert "is not awake" in pair.a.act("start")[1]["error"]
    assert pair.record().epoch == 0


def test_the_lease_is_renewed_while_xl_works(pair: GuardedPair) -> None:
    (pair.a.folder / "slow-create").touch()
    command = pair.a.start(*pair.a.words("start", "--domain", pair.domain))
    wait_for(lambda: pair.record().runner == "a")
    won = pair.record()
    wait_for(lambda: pair.record().beat > won.beat + 2)
    (pair.a.folder / "slow-create").unlink()
    assert command.wait(30) == 0
    assert pair.record().epoch == won.epoch


def test_a_guest_that_was_started_elsewhere_meanwhile_is_not_started(pair: GuardedPair) -> None:
    """Both hosts were asked before it was."""
    (pair.fence / "slow").touch()
    command = pair.a.start(*pair.a.words("start", "--domain", pair.domain))
    wait_for((pair.fence / "asked").exists)
    won = pair.lease.acquire()
    assert isinstance(won, Held), won
    assert isinstance(pair.lease.note(won.epoch), Noted)
    pair.lease.release(won.epoch)
    there = pair.a.folder / "domains"
    there.write_text(f"{pair.domain} -b----\n")  # which came here by somebody else's hand
    (pair.fence / "slow").unlink()
    assert command.wait(30) == 1
    assert "has become watcher's meanwhile" in pair.a.log()
    assert (pair.a.domains(), pair.record().runner) == ({pair.domain: "-b----"}, "watcher")


def test_what_was_created_by_hand_meanwhile_is_left_alone(pair: GuardedPair) -> None:
    (pair.fence / "slow").touch()
    command = pair.a.start(*pair.a.words("start", "--domain", pair.domain))
    wait_for((pair.fence / "asked").exists)
    (pair.a.folder / "domains").write_text(f"{pair.domain} -b----\n")
    (pair.fence / "slow").unlink()
    assert command.wait(30) == 1
    assert "by another's hand" in pair.a.log()
    assert pair.a.domains() == {pair.domain: "-b----"}


def test_a_lease_that_is_lost_while_xl_works_ends_the_start(pair: GuardedPair, member: Member) -> None:
    (pair.a.folder / "slow-create").touch()
    command = pair.a.start(*pair.a.words("start", "--domain", pair.domain))
    wait_for(lambda: pair.record().runner == "a")
    pair.lease.release(pair.record().epoch)
    wait_for(lambda: not pair.record().is_held)
    (pair.a.folder / "slow-create").unlink()
    assert command.wait(30) == 1
    assert pair.a.domains() == {}
    assert "the lease is lost" in pair.a.log()
