"""A copy's gate with a real etcd, in one process: the test is its stream, its host's guard and xl."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from failover import claiming, guard_board
from failover.claim_shares import PARTS
from failover.claim_state import Asked
from failover.claiming import Claiming
from failover.clock import now_ns
from failover.etcd import Etcd
from failover.gate import Decision, Evidence, Verdict
from failover.guard_board import Board, Slot
from failover.guard_state import Ask
from failover.lease import Held, Lease, Noted, Released
from failover.lease_record import Record
from failover.settings import DomainSettings, HostSettings, PeerSettings, RemusSettings
from telemetry.units import NS_PER_S
from tests.etcd import Member, patient, running_etcd, settings_for
from tests.waiting import wait_for

NUMBER = 7
MARK = "copy"
LISTED = f"""#!/bin/sh
echo 'Name ID Mem VCPUs State Time(s)'
echo 'web1--incoming {NUMBER} 128 1 --p--- 0.0'
"""


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with running_etcd(tmp_path_factory.mktemp("etcd")) as (only,):
        yield only


class Backup:
    """Host b, whose primary is gone; `a` is what that had."""

    def __init__(self, folder: Path, member: Member, stack: ExitStack) -> None:
        at = settings_for([member], ttl_s=1.2, renew_s=0.3, call_timeout_s=0.3)
        peers = (PeerSettings("a", "127.0.0.1"),)
        domain = DomainSettings("web1", ("a", "b"))
        settings = RemusSettings(HostSettings("b", folder / "run"), peers=peers, domains=(domain,), lease=at)
        etcd = stack.enter_context(Etcd(patient([member])))
        self.a = Lease(etcd, "web1", "a", at.ttl_s)
        self.board, self.is_guard_awake = Board(folder / "run", "web1"), True
        self.gate = Claiming(settings, at, domain, MARK)
        self.armed = guard_board.directory(folder / "run", "web1") / "armed"
        ended_ns = time.monotonic_ns()
        self.evidence = Evidence(ended_ns, True, ended_ns, ended_ns, None, False, False)

    def judge(self) -> Decision:
        self.board[Slot.GUARD_TICK] = now_ns() if self.is_guard_awake else 0
        return self.gate.judge(replace(self.evidence, now_ns=time.monotonic_ns()))

    def await_verdict(self, verdict: Verdict) -> Decision:
        wait_for(lambda: self.judge().verdict is verdict)
        return self.judge()

    def judges_on(self, until: Callable[[], object]) -> None:
        wait_for(lambda: self.judge() and until())

    def is_idle(self) -> bool:
        """Whether its gate waits for no answer."""
        gate = self.gate
        return not (list(gate._done.taken()) or gate._of_lease.is_busy or gate._of_fence.is_busy or gate._of_xl.is_busy)

    def record(self) -> Record:
        record = self.a.look()
        assert isinstance(record, Record)
        return record

    def lose(self, backup: str | None) -> int:
        """Host a gives the lease back, and has told of its guest before, unless `backup` is None; the epoch."""
        won = self.a.acquire(starts=True)
        assert isinstance(won, Held), won
        if backup is not None:
            assert isinstance(self.a.note(won.epoch, backup), Noted)
        assert isinstance(self.a.release(won.epoch), Released)
        return won.epoch


@pytest.fixture
def xl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "xl"
    program.parent.mkdir()
    program.write_text(LISTED)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


@pytest.fixture
def backup(tmp_path: Path, member: Member, xl: Path) -> Iterator[Backup]:
    with ExitStack() as stack:
        backup = Backup(tmp_path, member, stack)
        wipe(member)
        yield backup
        wait_for(backup.is_idle)  # or what is under way would win the next test's lease


def wipe(member: Member) -> None:
    """A guest that etcd has never heard of."""
    member.call("kv/deleterange", {"key": "AA==", "range_end": "AA=="})


def test_the_copy_that_the_record_tells_of_becomes_the_guest(backup: Backup) -> None:
    epoch = backup.lose(MARK)
    backup.await_verdict(Verdict.DRAIN)
    record = backup.record()
    assert (record.holder, record.runner, record.backup) == ("b", "b", "")
    assert record.epoch > epoch
    assert not backup.armed.exists()
    backup.evidence = replace(backup.evidence, is_drained=True)
    backup.judges_on(backup.armed.exists)
    assert backup.judge().verdict is Verdict.WAIT
    backup.board.find(NUMBER)
    backup.board[Slot.EPOCH], backup.board[Slot.DEADLINE] = record.epoch, now_ns() + NS_PER_S
    decision = backup.judge()
    assert decision.verdict is Verdict.TAKE_OVER
    assert decision.reason.startswith(f"epoch {record.epoch} was won: lease ")
    assert [part.split()[0] for part in decision.reason.partition(": ")[2].split(", ")] == list(PARTS)


def test_the_guard_is_told_again_where_it_has_died_of_the_order(backup: Backup) -> None:
    backup.lose(MARK)
    backup.evidence = replace(backup.evidence, is_drained=True)
    backup.judges_on(backup.armed.exists)
    order = backup.armed.read_text()
    backup.armed.unlink()
    backup.judges_on(backup.armed.exists)
    assert backup.armed.read_text() == order


def test_a_guard_that_cannot_be_told_is_told_later(backup: Backup) -> None:
    """As while the disk is full: the copy is the guest by then."""
    backup.lose(MARK)
    backup.armed.mkdir()
    backup.evidence = replace(backup.evidence, is_drained=True)
    backup.judges_on(lambda: backup.gate._arm_ns)
    assert backup.judge().verdict is Verdict.WAIT
    backup.armed.rmdir()
    backup.judges_on(backup.armed.is_file)


@pytest.mark.parametrize(("slot", "number"), [(Slot.NUMBER, NUMBER + 1), (Slot.EPOCH, 1), (Slot.DEADLINE, 0)])
def test_a_guard_that_goes_on_with_something_else_wakes_nothing(backup: Backup, slot: Slot, number: int) -> None:
    backup.lose(MARK)
    backup.evidence = replace(backup.evidence, is_drained=True)
    backup.judges_on(backup.armed.exists)
    backup.board.find(NUMBER)
    backup.board[Slot.EPOCH], backup.board[Slot.DEADLINE] = backup.record().epoch, now_ns() + 60 * NS_PER_S
    before, backup.board[slot] = backup.board[slot], number
    assert backup.judge().verdict is Verdict.WAIT
    backup.board[slot] = before
    assert backup.judge().verdict is Verdict.TAKE_OVER


def test_a_guest_of_which_nobody_has_told_is_not_taken(backup: Backup) -> None:
    """Its host may run it without a guard: whoever has told of no backup has none."""
    epoch = backup.lose(None)
    assert "no backup of it" in backup.await_verdict(Verdict.GIVE_UP).reason
    assert backup.record().epoch == epoch


def test_an_operators_word_does_not_stand_for_the_record(backup: Backup) -> None:
    epoch = backup.lose(None)
    backup.evidence = replace(backup.evidence, stream_ended_ns=None, is_ordered=True)
    until_ns = now_ns() + NS_PER_S // 2  # it asks ten times a second
    backup.judges_on(lambda: now_ns() > until_ns)
    assert "no backup of it" in backup.judge().reason
    assert backup.record().epoch == epoch


def test_a_lease_that_was_never_held_is_not_taken(backup: Backup) -> None:
    backup.await_verdict(Verdict.GIVE_UP)
    assert backup.record() == Record()


def test_a_copy_that_xen_does_not_have_is_not_claimed_for(backup: Backup, xl: Path) -> None:
    xl.write_text("#!/bin/sh\nexit 1\n")
    epoch = backup.lose(MARK)
    backup.judges_on(lambda: "Xen's number" in backup.judge().reason)
    assert backup.record().epoch == epoch
    xl.write_text(LISTED)
    backup.await_verdict(Verdict.DRAIN)


def test_a_hand_that_is_lost_is_the_gates_end(backup: Backup, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver's death destroys the copy; a gate that never asks again would keep it from all."""

    def breaks(epoch: int, mark: str) -> Noted:
        raise RuntimeError("no memory")

    monkeypatch.setattr(backup.gate._lease, "note", breaks)
    backup.lose(MARK)
    with pytest.raises(RuntimeError, match="no memory"):
        backup.await_verdict(Verdict.DRAIN)


def test_a_claim_is_one_look_and_one_write(backup: Backup, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    backup.lose(MARK)
    asked: list[str] = []
    ask = Etcd._ask

    def counted(self: Etcd, path: str, message: Mapping[str, object]) -> Mapping[str, object]:
        asked.append(path)
        return ask(self, path, message)

    with Etcd(patient([member])) as etcd:
        lease = Lease(etcd, "web1", "b", 2.0)
        monkeypatch.setattr(Etcd, "_ask", counted)
        won = claiming._of_lease(lease, Asked(Ask.CLAIM, 0, False, False), backup.gate._limits)
    assert isinstance(won, Held)
    assert asked == ["kv/range", "kv/txn"]
