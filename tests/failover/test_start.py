"""The start of a guest that is nowhere: the real programs, guards, and etcd."""

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
    code, told = pair.b.act("start")
    assert code == 1
    assert "cannot be asked" in told["error"]  # nobody listens on a: it may be there
    assert pair.b.domains() == {}


def test_a_guest_that_is_on_the_other_host_is_not_started(pair: GuardedPair) -> None:
    (pair.b.folder / "domains").write_text(f"{pair.domain} -b----\n")
    code, told = pair.a.act("start")
    assert code == 1
    assert "is on b already" in told["error"]
    assert (pair.a.domains(), pair.record().epoch) == ({}, 0)


def test_a_guest_whose_copy_waits_is_not_started(pair: GuardedPair) -> None:
    (pair.b.folder / "domains").write_text(f"{pair.domain}--incoming --p---\n")
    code, told = pair.a.act("start")
    assert code == 1
    assert "is on b: it takes over by itself" in told["error"]
    assert pair.record().epoch == 0


def test_a_silent_host_may_have_it_unless_it_is_off(pair: GuardedPair) -> None:
    pair.receivers.close()
    code, told = pair.a.act("start")
    assert code == 1
    assert "add --peer-is-off" in told["error"]
    assert pair.a.act("start", "--peer-is-off")[0] == 0
    wait_for(pair.runs_at_a)


def test_the_host_that_the_record_names_may_be_gone(pair: GuardedPair) -> None:
    won = pair.lease.acquire()
    assert isinstance(won, Held)
    assert isinstance(pair.lease.note(won.epoch, "copy"), Noted)
    code, told = pair.a.act("start")
    assert code == 0, told
    record = pair.record()
    assert (record.runner, record.backup) == ("a", "")
    assert record.epoch > won.epoch


def test_nothing_is_started_without_its_disk(pair: GuardedPair) -> None:
    (pair.fence / "silent").touch()
    code, told = pair.a.act("start")
    assert code == 1
    assert "the fence does not answer" in told["error"]
    assert (pair.a.domains(), pair.record().epoch) == ({}, 0)


def test_a_disk_that_a_higher_epoch_has_is_not_to_be_had(pair: GuardedPair) -> None:
    (pair.fence / "owner").write_text("1000000 b\n")
    code, told = pair.a.act("start")
    assert code == 1
    assert "the disk is not to be had: epoch" in told["error"]
    assert pair.a.domains() == {}
    assert not pair.record().is_held


def test_a_domain_that_cannot_be_created_leaves_nothing(pair: GuardedPair) -> None:
    (pair.a.folder / "no-create").touch()
    code, told = pair.a.act("start")
    assert code == 1
    assert "xl create" in told["error"]
    assert pair.a.domains() == {}
    assert not pair.record().is_held


def test_a_guest_without_a_guard_is_not_started(pair: GuardedPair) -> None:
    pair.kill(pair.a, "guard")
    wait_for(lambda: guard_store.current(pair.a.run_dir, pair.domain) is None)
    assert "is not awake" in pair.a.act("start")[1]["error"]
    assert pair.record().epoch == 0


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
