"""The lease on a real etcd: at most one holder, whatever is killed, frozen or lost."""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from failover.clock import now_ns
from failover.etcd import Etcd
from failover.lease import Held, Lease, Noted, OtherTerm, Refused, Released, Unknown
from failover.lease_record import Record
from failover.lease_settings import LeaseSettings
from telemetry.units import NS_PER_S
from tests.etcd import Member, frozen, leader_of, patient, running_etcd, settings_for, wait_until_it_serves
from tests.faults import Act, running_proxy
from tests.waiting import wait_for

TTL_S = 0.6
"""Short, so that the tests are."""
LONG_S = 30.0
HASTE_S = 0.5


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with running_etcd(tmp_path_factory.mktemp("etcd")) as (only,):
        yield only


class Contending:
    """Contenders for one guest's lease, each with connections of its own."""

    def __init__(self, guest: str, stack: ExitStack) -> None:
        self.guest, self._stack = guest, stack

    def __call__(self, members: Sequence[Member], host: str, ttl_s: float = TTL_S, guest: str = "") -> Lease:
        """Patient: it is no matter how slow the machine is."""
        return self.at(patient(members), host, ttl_s, guest)

    def in_haste(self, members: Sequence[Member], host: str, ttl_s: float = TTL_S) -> Lease:
        """As a guard asks, where members do not answer."""
        return self.at(settings_for(members, call_timeout_s=HASTE_S), host, ttl_s)

    def at(self, settings: LeaseSettings, host: str, ttl_s: float = TTL_S, guest: str = "") -> Lease:
        return Lease(self._stack.enter_context(Etcd(settings)), guest or self.guest, host, ttl_s)


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Contending]:
    """A guest of this test's own."""
    with ExitStack() as stack:
        yield Contending(tmp_path.name, stack)


def held(answer: object) -> Held:
    assert isinstance(answer, Held), answer
    return answer


def refused(answer: object) -> Refused:
    assert isinstance(answer, Refused), answer
    return answer


def test_one_wins_and_the_other_learns_who(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a", LONG_S), lease([member], "b")
    assert a.look() == Record()
    won = held(a.acquire())

    said = refused(b.acquire())

    assert won.epoch > 0
    assert (said.record.holder, said.record.epoch, said.record.is_held) == ("a", won.epoch, True)
    assert said.free_in_s is not None
    assert LONG_S / 2 < said.free_in_s <= LONG_S * 1.02
    assert held(a.acquire()).epoch == won.epoch


def test_guests_do_not_share_a_lease(member: Member, lease: Contending) -> None:
    names = [lease.guest, f"{lease.guest}0", f"{lease.guest}.b"]
    epochs = [held(lease([member], "a", guest=name).acquire()).epoch for name in names]
    assert epochs == sorted(set(epochs))


def test_a_silent_holder_is_followed_when_its_time_is_over(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a"), lease([member], "b")
    mine = held(a.acquire())
    for _ in range(3):
        assert refused(b.acquire()).record.epoch == mine.epoch
        mine = held(a.renew(mine.epoch))
    answers = (b.acquire() for _ in count())
    theirs = next(answer for answer in answers if isinstance(answer, Held))

    assert theirs.until_ns - TTL_S * NS_PER_S >= mine.until_ns
    assert theirs.epoch > mine.epoch
    assert refused(a.renew(mine.epoch)).record.holder == "b"
    assert isinstance(a.release(mine.epoch), Released)
    assert held(b.renew(theirs.epoch)).epoch == theirs.epoch


def test_what_was_won_for_another_time_to_live_cannot_be_renewed(member: Member, lease: Contending) -> None:
    """Contenders count with the one that is on record."""
    before, after, same = (lease([member], "a", ttl_s) for ttl_s in (TTL_S, LONG_S, TTL_S))
    won = held(before.acquire())
    assert after.renew(won.epoch) == OtherTerm(won.epoch, TTL_S)
    assert held(same.renew(won.epoch)).epoch == won.epoch
    after.release(won.epoch)
    again = held(after.acquire())
    assert refused(same.renew(won.epoch)).record.ttl_s == LONG_S
    assert held(after.renew(again.epoch)).epoch == again.epoch


def test_a_holding_counts_from_when_it_was_asked_for(
    tmp_path: Path, lease: Contending, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_etcd(tmp_path) as (only,):
        a = lease([only], "a")
        mine = held(a.acquire())
        record = a.look()
        assert isinstance(record, Record)
        asks: list[Callable[[], object]] = [lambda: a._win(record), lambda: a.renew(mine.epoch + 1)]
        asked_ns = thawing(only, monkeypatch)
        for ask in asks:
            only.freeze()
            answer = held(ask())
            assert answer.until_ns - TTL_S * NS_PER_S <= asked_ns[-1]  # before it could be answered


def thawing(member: Member, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have the member go on soon after each question; when they were put."""
    asked_ns: list[int] = []
    ask = Etcd.write

    def write(self: Etcd, *arguments: Any) -> object:
        asked_ns.append(now_ns())
        thaw = threading.Timer(0.1, member.signal, [signal.SIGCONT])
        thaw.start()
        answer = ask(self, *arguments)
        thaw.join()
        return answer

    monkeypatch.setattr(Etcd, "write", write)
    return asked_ns


def test_a_late_renewal_is_good_where_nobody_has_followed(member: Member, lease: Contending) -> None:
    a = lease([member], "a", 0.1)
    mine = held(a.acquire())
    wait_for(lambda: now_ns() > mine.until_ns)
    again = held(a.renew(mine.epoch))
    assert again.epoch == mine.epoch
    assert again.until_ns > mine.until_ns


def test_a_contender_that_comes_late_waits_the_whole_time(member: Member, lease: Contending) -> None:
    mine = held(lease([member], "a").acquire())
    wait_for(lambda: now_ns() > mine.until_ns)
    # nobody has told this one that the holder was silent so long
    assert refused(lease([member], "b").acquire()).free_in_s


def test_a_contender_waits_the_holders_time_not_its_own(member: Member, lease: Contending) -> None:
    held(lease([member], "a", LONG_S).acquire())
    free_in_s = refused(lease([member], "b", 0.1).acquire()).free_in_s
    assert free_in_s is not None
    assert free_in_s > LONG_S / 2


def test_what_is_released_is_free_at_once(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a"), lease([member], "b")
    mine = held(a.acquire())
    assert isinstance(a.release(mine.epoch), Released)
    late = lease([member], "a")
    assert refused(late.renew(mine.epoch)).record.is_held is False
    theirs = held(b.acquire())
    assert theirs.epoch > mine.epoch
    assert isinstance(a.release(mine.epoch), Released)
    held(b.renew(theirs.epoch))


def test_a_copy_that_is_no_backup_wins_nothing(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a"), lease([member], "b")
    mine = held(a.acquire())
    assert a.note(mine.epoch) == Noted()
    a.release(mine.epoch)
    said = refused(b.acquire("copy"))
    assert (said.record.runner, said.record.runner_epoch, said.record.backup) == ("a", mine.epoch, "")
    assert said.free_in_s is None

    mine = held(a.acquire())
    assert a.note(mine.epoch, "copy") == Noted()
    a.release(mine.epoch)
    for mark in ("", "another"):
        assert refused(b.acquire(mark)).free_in_s is None
    theirs = held(b.acquire("copy"))
    assert b.note(theirs.epoch) == Noted()
    b.release(theirs.epoch)
    assert refused(a.acquire("copy")).record.runner == "b"
    assert held(a.acquire(starts=True)).epoch > theirs.epoch


def test_an_epoch_is_taken_up_again_after_a_restart(member: Member, lease: Contending) -> None:
    before, after, b = (lease([member], host) for host in ("a", "a", "b"))
    mine = held(before.acquire())
    assert refused(after.acquire()).record.holder == "a"
    assert held(after.renew(mine.epoch)).epoch == mine.epoch
    assert refused(b.acquire()).record.epoch == mine.epoch


def test_what_changes_while_one_acquires_is_seen(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a"), lease([member], "b")
    mine = held(a.acquire())
    a.note(mine.epoch, "copy")
    before = b.look()
    assert isinstance(before, Record)
    a.note(mine.epoch)
    assert refused(b._win(before)).record.backup == ""


def test_only_the_holder_tells_of_the_guest(member: Member, lease: Contending) -> None:
    a, b = lease([member], "a"), lease([member], "b")
    mine = held(a.acquire())
    a.release(mine.epoch)
    assert refused(a.note(mine.epoch, "copy")).record.is_held is False
    theirs = held(b.acquire())
    assert refused(a.note(mine.epoch, "copy")).record.noted == 0
    assert refused(a.note(theirs.epoch - 1, "copy")).record.noted == 0
    assert isinstance(b.note(theirs.epoch, "copy"), Noted)


@pytest.mark.parametrize("act", ["release", "note"])
def test_what_is_done_late_meets_another_epoch(member: Member, lease: Contending, act: str) -> None:
    with running_proxy(member.url) as proxy:
        through = replace(patient([member]), endpoints=(proxy.url,), call_timeout_s=1.0)
        a, b = lease.at(through, "a"), lease([member], "b")
        mine = held(a.acquire())
        proxy.order(Act.HANG)
        lost = a.release(mine.epoch) if act == "release" else a.note(mine.epoch)
        assert isinstance(lost, Unknown)
        assert isinstance(a.renew(mine.epoch), Refused)
        again = held(a.acquire())
        assert again.epoch > mine.epoch

        late = lease([member], "a")
        late.note(mine.epoch)
        late.release(mine.epoch)
        said = refused(b.acquire())
        assert (said.record.epoch, said.record.noted) == (again.epoch, 0)
        held(a.renew(again.epoch))


def test_a_write_whose_answer_is_lost_is_found_again(member: Member, lease: Contending) -> None:
    with running_proxy(member.url) as proxy:
        a = lease.at(LeaseSettings((proxy.url,), settings_for([member]).cluster_id), "a")
        proxy.order(Act.PASS, Act.CUT_RESPONSE)
        assert isinstance(a.acquire(), Unknown)
        assert refused(lease([member], "b").acquire()).record.holder == "a"
        mine = held(a.acquire())
        proxy.order(Act.CUT_RESPONSE)
        assert isinstance(a.renew(mine.epoch), Unknown)
        assert held(a.renew(mine.epoch)).epoch == mine.epoch
        proxy.order(Act.CUT_RESPONSE)
        assert isinstance(a.release(mine.epoch), Unknown)
        assert isinstance(a.release(mine.epoch), Released)
        assert a.look() == Record(mine.epoch, 0, "a", TTL_S, a._nonce)


def test_another_endpoint_knows_what_the_first_has_done(member: Member, lease: Contending) -> None:
    with running_proxy(member.url) as proxy:
        a = lease.at(LeaseSettings((proxy.url, member.url), settings_for([member]).cluster_id), "a")
        proxy.order(Act.PASS, Act.CUT_RESPONSE)
        mine = held(a.acquire())
        assert isinstance(record := a.look(), Record)
        assert (record.epoch, record.nonce) == (mine.epoch, a._nonce)


def test_what_another_endpoint_has_done_is_not_done_late(member: Member, lease: Contending) -> None:
    """A member that stood still goes on, and does what it was asked before the backup was withdrawn."""
    with running_proxy(member.url) as proxy:
        a = lease.at(replace(patient([member]), endpoints=(proxy.url, member.url), call_timeout_s=1.0), "a")
        mine = held(a.acquire())
        proxy.order(Act.HANG)
        assert a.note(mine.epoch, "copy") == Noted()
        assert a.note(mine.epoch) == Noted()
        member.call("kv/txn", json.loads(proxy.requests[-1].body))
        assert isinstance(record := a.look(), Record)
        assert (record.runner, record.backup) == ("a", "")


def test_what_another_process_of_its_host_has_told_is_told_anew(member: Member, lease: Contending) -> None:
    gate, guard = lease([member], "a"), lease([member], "a")
    guard.look()
    mine = held(gate.acquire())
    assert gate.note(mine.epoch) == Noted()
    assert guard.note(mine.epoch, "copy") == Noted()
    assert isinstance(record := guard.look(), Record)
    assert (record.runner_epoch, record.backup) == (mine.epoch, "copy")


def test_what_was_told_but_not_answered_is_told(member: Member, lease: Contending) -> None:
    with running_proxy(member.url) as proxy:
        a = lease.at(replace(patient([member]), endpoints=(proxy.url, member.url)), "a")
        mine = held(a.acquire())
        proxy.order(Act.CUT_RESPONSE, Act.CUT_REQUEST)
        assert a.note(mine.epoch, "copy") == Noted()
        assert a.note(mine.epoch) == Noted()
        assert held(a.renew(mine.epoch)).epoch == mine.epoch


@pytest.mark.parametrize("fault", [Act.HANG, Act.CUT_RESPONSE])
def test_that_a_guest_has_ended_is_told_until_somebody_answers(member: Member, lease: Contending, fault: Act) -> None:
    with running_proxy(member.url) as proxy:
        through = replace(settings_for([member], call_timeout_s=0.3), endpoints=(proxy.url,))
        a = lease.at(through, "a", LONG_S)
        mine = held(a.acquire())
        assert a.note(mine.epoch, "copy") == Noted()
        proxy.order(fault, fault, fault)
        assert isinstance(a.end(mine.epoch), Released)
        assert isinstance(record := a.look(), Record)
        assert (record.runner, record.backup, record.is_held) == ("a", "", False)


def test_that_a_guest_has_ended_is_not_told_for_ever(member: Member, lease: Contending) -> None:
    with running_proxy(member.url) as proxy:
        a, b = lease.at(replace(patient([member]), endpoints=(proxy.url,)), "a", 0.2), lease([member], "b")
        mine = held(a.acquire())
        proxy.decide = lambda _: Act.CUT_REQUEST
        assert isinstance(a.end(mine.epoch), Unknown)
        assert isinstance(a.renew(mine.epoch), Refused)
        wait_for(lambda: isinstance(b.acquire(), Held))


@pytest.mark.parametrize(
    "pairs",
    [
        {"owner": "", "beat": ""},
        {"owner": "[]", "beat": ""},
        {"owner": "{}"},
        {"owner": '{"holder": "a", "ttl_s": NaN, "nonce": ""}', "beat": ""},
        {"owner": '{"holder": "a", "ttl_s": 1' + 400 * "0" + ', "nonce": ""}'},
        {"owner": "[" * 30_000},
        {"beat": ""},
        {"owner": '{"holder": "a", "ttl_s": 2.0, "nonce": ""}', "guest": "true"},
    ],
)
def test_what_hefery_did_not_write_is_no_lease(member: Member, lease: Contending, pairs: dict[str, str]) -> None:
    with Etcd(settings_for([member])) as etcd:
        etcd.write(f"/hefery/guest/{lease.guest}/", [], pairs)
    answer = lease([member], "b").acquire()
    assert isinstance(answer, Unknown)
    assert "the lease" in answer.reason


@dataclass(frozen=True)
class Holding:
    """From when an answer said so, until it was certain no more."""

    epoch: int
    host: str
    from_ns: int
    until_ns: int


class Contender(threading.Thread):
    """Tries to win, renews, forgets to for a while, releases: at random."""

    def __init__(self, at: Lease, host: str, end: threading.Event) -> None:
        super().__init__(daemon=True)
        self._lease, self._host, self._random, self._end = at, host, random.Random(host), end
        self.holdings: list[Holding] = []

    def run(self) -> None:
        while not self._end.is_set():
            answer: Held | OtherTerm | Released | Refused | Unknown = self._lease.acquire()
            while isinstance(answer, Held) and not self._end.is_set():
                self.holdings.append(Holding(answer.epoch, self._host, now_ns(), answer.until_ns))
                answer = self._go_on(answer)
            self._end.wait(self._random.uniform(0.01, 0.1))

    def _go_on(self, mine: Held) -> Held | OtherTerm | Released | Refused | Unknown:
        act = self._random.random()
        if act < 0.1:
            self._give_back(mine)
            return Released()
        self._end.wait(TTL_S * (2.5 if act > 0.9 else 0.3))
        return self._lease.renew(mine.epoch)

    def _give_back(self, mine: Held) -> None:
        end_ns = now_ns()
        self.holdings = [replace(one, until_ns=min(one.until_ns, end_ns)) for one in self.holdings]
        self._lease.release(mine.epoch)


def check_that_none_overlap(holdings: Sequence[Holding]) -> None:
    """Of all pairs of epochs, the older is over before the newer begins; no epoch has two holders."""
    begins, ends = dict[int, int](), dict[int, int]()
    assert len({(one.epoch, one.host) for one in holdings}) == len({one.epoch for one in holdings})
    for one in holdings:
        if one.until_ns <= one.from_ns:
            continue  # the answer came when the time was over
        begins[one.epoch] = min(begins.get(one.epoch, one.from_ns), one.from_ns)
        ends[one.epoch] = max(ends.get(one.epoch, 0), one.until_ns)
    for older, newer in pairwise(sorted(begins)):
        assert ends[older] <= begins[newer], (older, newer)


def trouble(members: Sequence[Member], source: random.Random, duration_s: float) -> None:
    """Kill and start, or freeze, one member at a time."""
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        time.sleep(source.uniform(0.3, 0.8))
        member = source.choice([*members, leader_of(members)])
        if source.random() < 0.5:
            member.kill()
            time.sleep(source.uniform(0.0, 0.5))
            member.start(members)
        else:
            with frozen(member):
                time.sleep(source.uniform(0.1, 2.0))
        wait_until_it_serves(member)


@pytest.mark.parametrize("size", [1, 3])
def test_never_two_holders(size: int, tmp_path: Path, lease: Contending) -> None:
    end = threading.Event()
    with running_etcd(tmp_path, size) as members, ExitStack() as stack:
        contenders = [
            Contender(lease.in_haste(members[number % size :] + members[: number % size], host), host, end)
            for number, host in enumerate("abcd")
        ]
        for contender in contenders:
            contender.start()
            stack.callback(contender.join)
        stack.callback(end.set)
        trouble(members, random.Random(size), 8.0)
    holdings = [one for contender in contenders for one in contender.holdings]
    assert len({one.epoch for one in holdings}) >= 3  # a busy machine sees fewer in these seconds
    assert len({one.host for one in holdings}) > 1
    check_that_none_overlap(holdings)


def test_the_check_finds_two_holders() -> None:
    apart = [Holding(1, "a", 0, 10), Holding(1, "a", 5, 15), Holding(2, "b", 15, 20)]
    check_that_none_overlap(apart)
    with pytest.raises(AssertionError):
        check_that_none_overlap([*apart, Holding(3, "a", 19, 30)])
    with pytest.raises(AssertionError):
        check_that_none_overlap([*apart, Holding(1, "b", 0, 1)])


def test_renewals_go_on_when_a_leader_dies_or_freezes(tmp_path: Path, lease: Contending) -> None:
    with running_etcd(tmp_path, 3) as members:
        a, b = lease.in_haste(members, "a", 5.0), lease(members[1:], "b")
        mine = held(a.acquire())
        dead = leader_of(members)
        dead.kill()
        wait_for(lambda: isinstance(a.renew(mine.epoch), Held))
        assert refused(b.acquire()).record.epoch == mine.epoch
        dead.start(members)
        wait_until_it_serves(dead)
        with frozen(leader_of(members)):
            wait_for(lambda: isinstance(a.renew(mine.epoch), Held))
        wait_for(lambda: isinstance(a.renew(mine.epoch), Held))


def test_a_frozen_etcd_holds_nobody_up(tmp_path: Path, lease: Contending) -> None:
    with running_etcd(tmp_path) as (only,):
        a, b = lease.in_haste([only], "a"), lease.in_haste([only], "b")
        mine = held(a.acquire())
        with frozen(only):
            begun_s = time.monotonic()
            answers: list[object] = [
                a.renew(mine.epoch),
                b.acquire(),
                a.note(mine.epoch, "copy"),
                a.release(mine.epoch),
                b.look(),
            ]
            assert time.monotonic() - begun_s < 20 * HASTE_S
        assert answers == [Unknown(f"{only.url}: no answer in time")] * len(answers)
        # what was asked may be done now, and keeps nobody out for longer than a time to live
        wait_for(lambda: isinstance(b.acquire("copy"), Held))


def test_a_cluster_that_forgets_is_not_believed(tmp_path: Path, lease: Contending) -> None:
    with running_etcd(tmp_path) as (only,):
        a = lease([only], "a")
        mine = held(a.acquire())
        only.kill()
        (only.data / only.name).rename(only.data / "lost")
        only.start([only])
        wait_until_it_serves(only)
        answer = a.renew(mine.epoch)
        assert isinstance(answer, Unknown)
        assert "has gone back from revision" in answer.reason
