"""`hefery-remus guard` and `minder`, the programs, with a real etcd and a guest that writes down when it runs."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from failover import guard_board, guard_store, patience
from failover.clock import now_ns
from failover.etcd import Etcd
from failover.guard_board import Board, Slot
from failover.guard_state import Ask
from failover.guard_steps import Chore, Guard
from failover.guard_workers import NoFence
from failover.lease import Held, Lease, Noted
from failover.lease_record import Record
from failover.lease_settings import LeaseSettings
from failover.settings import HostSettings, RemusSettings
from telemetry.units import NS_PER_MS, NS_PER_S
from tests.etcd import Member, frozen, patient, running_etcd, settings_for, wait_until_it_serves
from tests.failover import fake_xenctrl
from tests.failover.fake_xenctrl import NUMBER, FakeXen
from tests.failover.fake_xenstored import FakeXenstored
from tests.waiting import wait_for

TTL_S = 1.2
"""Short, so that the tests are; the guest stands still a quarter of it before its end."""


class Host:
    """Host a: its guest, guard and minder; and what another host sees in etcd."""

    def __init__(self, folder: Path, library: Path, members: list[Member], stack: ExitStack) -> None:
        self.name = f"web-{folder.name}"
        self.run_dir, self._folder, self._stack = folder / "run", folder, stack
        self.settings = settings_for(members, call_timeout_s=0.5)
        self.xen = FakeXen(folder, library, self.name)
        stack.callback(self.xen.close)
        self._config, self.environment = folder / "remus.toml", dict[str, str]()
        self._members = members
        self.configure(TTL_S)
        self.board = Board(self.run_dir, self.name)
        self.a, self.b = (
            Lease(stack.enter_context(Etcd(patient(members))), self.name, name, TTL_S) for name in ("a", "b")
        )

    def configure(self, ttl_s: float) -> None:
        self._config.write_text(
            f'[host]\nname = "a"\nrun_dir = "{self.run_dir}"\n[[peers]]\nname = "b"\naddress = "127.0.0.1"\n'
            f'[[domains]]\nname = "{self.name}"\npeers = ["a", "b"]\n'
            f'[lease]\nendpoints = ["{self._members[0].url}"]\ncluster_id = "{self.settings.cluster_id}"\n'
            f"ttl_s = {ttl_s}\nrenew_s = {ttl_s / 4}\ncall_timeout_s = {ttl_s / 6}\n"
        )

    def break_configuration(self) -> None:
        """As a typing error does."""
        self._config.write_text("[host")

    def withhold_configuration(self) -> Callable[[], int]:
        """What starts from now on waits until what is returned is called."""
        text = self._config.read_text()
        self._config.unlink()
        os.mkfifo(self._config)
        return partial(self._config.write_text, text)

    def start(self, verb: str) -> "subprocess.Popen[bytes]":
        program = str(Path(sys.executable).with_name("hefery-remus"))
        words = [program, verb, "--domain", self.name, "--config", str(self._config)]
        inherited = {name: value for name, value in os.environ.items() if name != "INVOCATION_ID"}
        with (self._folder / "log").open("ab") as log:
            environment = {**inherited, **self.xen.environment, **self.environment}
            process = subprocess.Popen(words, env=environment, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def start_minder(self) -> "subprocess.Popen[bytes]":
        ticked_ns, minder = self.board[Slot.MINDER_TICK], self.start("minder")
        wait_for(lambda: self.board[Slot.MINDER_TICK] > ticked_ns)
        return minder

    def guarded(self) -> "tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]":
        """Guard and minder, once the guest runs under a lease."""
        self.xen.create()
        minder, guard = self.start_minder(), self.start("guard")
        wait_for(lambda: self.board[Slot.EPOCH] and not self.xen.pauses and self.runs())
        return guard, minder

    def record(self) -> Record:
        record = self.b.look()
        assert isinstance(record, Record)
        return record

    def told(self) -> guard_store.Told | None:
        return guard_store.read(self.run_dir, self.name)

    def runs(self) -> bool:
        ran = self.xen.ran()
        return bool(ran) and now_ns() - ran[-1] < 50 * NS_PER_MS

    def late_ns(self) -> int:
        """How long after the last deadline that was written down the guest ran."""
        return self.xen.ran()[-1] - self.board[Slot.DEADLINE]

    def has_logged(self, text: str, count: int) -> bool:
        return self.log().count(text) == count

    def log(self) -> str:
        return (self._folder / "log").read_text()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_xenctrl.build(tmp_path_factory.mktemp("library"))


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    with running_etcd(tmp_path) as (only,):
        yield only


@pytest.fixture
def host(tmp_path: Path, library: Path, member: Member) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, library, [member], stack)


def await_stop(host: Host, since_ns: int) -> None:
    """Until it stands still, which was not before its lease was in danger, and before its lease's end."""
    wait_for(lambda: host.xen.pauses and not host.runs())
    assert host.xen.ran()[-1] > since_ns
    assert host.late_ns() < (1 - LeaseSettings(("http://127.0.0.1:1",), "c1").pause_share) * TTL_S * NS_PER_S


def test_a_guest_runs_once_its_lease_is_won(host: Host) -> None:
    host.guarded()
    record = host.record()
    assert (record.holder, record.runner, record.backup) == ("a", "a", "")
    assert host.board[Slot.EPOCH] == record.epoch
    assert host.xen.calls()[0][1] == "pause"
    told = guard_store.Told(host.name, NUMBER, record.epoch, is_paused=False, reason="the lease is held", backup="")
    wait_for(lambda: host.told() == told)
    beat = host.record().beat
    wait_for(lambda: host.record().beat > beat + 2)
    assert host.xen.pauses == 0


def test_etcd_freezes_and_goes_on(host: Host, member: Member) -> None:
    host.guarded()
    epoch = host.board[Slot.EPOCH]
    with frozen(member):
        await_stop(host, now_ns())
        wait_for(lambda: (told := host.told()) and told.is_paused and "no answer of the lease server" in told.reason)
    wait_for(host.runs)
    assert (host.record().epoch, host.board[Slot.EPOCH], host.xen.pauses) == (epoch, epoch, 0)
    wait_for(lambda: "goes_on" in host.xen.events())


def test_etcd_dies_and_comes_back(host: Host, member: Member) -> None:
    host.guarded()
    began_ns = now_ns()
    member.kill()
    await_stop(host, began_ns)
    member.start([member])
    wait_until_it_serves(member)
    wait_for(host.runs)
    assert host.xen.pauses == 0


def test_the_guard_pauses_where_its_minder_is_dead(host: Host, member: Member) -> None:
    _, minder = host.guarded()
    minder.kill()
    minder.wait()
    with frozen(member):
        await_stop(host, now_ns())


def test_a_dead_guards_guest_stands_still_before_another_can_win(host: Host) -> None:
    guard, _ = host.guarded()
    guard.kill()
    guard.wait()
    won = win(host)
    assert host.xen.ran()[-1] < won.until_ns - TTL_S * NS_PER_S
    assert "by its minder" in host.log()
    host.b.release(won.epoch)
    host.start("guard")  # nobody has taken the guest: it is this host's still
    wait_for(host.runs)
    assert host.xen.pauses == 0
    assert host.board[Slot.EPOCH] > won.epoch


def test_a_guard_that_comes_back_in_time_is_not_noticed(host: Host) -> None:
    host.configure(ttl_s=10.0)  # a busy machine takes its time to start Python
    guard, _ = host.guarded()
    wait_for(lambda: not host.board[Slot.TELLING])  # what it has begun to write it has put on record
    epoch, deadline_ns = host.board[Slot.EPOCH], host.board[Slot.DEADLINE]
    calls = host.xen.calls()
    guard.kill()
    guard.wait()
    host.start("guard")
    wait_for(lambda: host.board[Slot.DEADLINE] > deadline_ns + NS_PER_S // 4)
    assert host.board[Slot.EPOCH] == epoch
    assert host.xen.calls() == calls


@pytest.mark.parametrize("ttl_s", [TTL_S * 5, TTL_S / 2])
def test_a_guard_with_another_time_to_live_wins_the_lease_anew(host: Host, ttl_s: float) -> None:
    """What contenders wait for is on record; and its minder began with the other one."""
    guard, _ = host.guarded()
    wait_for(lambda: not host.board[Slot.TELLING])
    epoch = host.board[Slot.EPOCH]
    guard.kill()
    guard.wait()
    host.configure(ttl_s)
    host.start("guard")
    wait_for(lambda: host.board[Slot.EPOCH] > epoch and host.runs())
    assert (host.record().holder, host.record().ttl_s) == ("a", ttl_s)
    wait_for(lambda: not host.xen.pauses)
    calls, until_ns = host.xen.calls(), now_ns() + NS_PER_S
    if ttl_s > TTL_S:  # the other is too short for a busy machine
        wait_for(lambda: now_ns() > until_ns)
        assert host.xen.calls() == calls


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20.0)
        yield manager


def test_a_guard_is_followed_by_another_without_a_pause(host: Host, manager: socket.socket) -> None:
    """That takes longer to start than a lease lives."""
    host.environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000000"}
    guard, _ = host.guarded()
    wait_for(lambda: not host.board[Slot.TELLING])
    epoch, calls = host.board[Slot.EPOCH], host.xen.calls()
    configure = host.withhold_configuration()
    guard.send_signal(signal.SIGHUP)
    began_ns = now_ns()
    wait_for(lambda: host.board[Slot.DEADLINE] > began_ns + 2 * TTL_S * NS_PER_S)
    configure()
    said: list[bytes] = []
    while said.count(b"READY=1") < 3:  # minder, guard, and the next one
        said.append(manager.recv(100))
    (main,) = [text for text in said if text.startswith(b"MAINPID=")]
    with ended(int(main.removeprefix(b"MAINPID="))) as pid:
        assert guard.wait(20) == 0
        deadline_ns = host.board[Slot.DEADLINE]
        wait_for(lambda: host.board[Slot.DEADLINE] > deadline_ns + NS_PER_S)
        assert Path(f"/proc/{pid}/stat").exists()
    assert host.board[Slot.EPOCH] == epoch
    assert host.xen.calls() == calls


@contextmanager
def ended(pid: int) -> Iterator[int]:
    """One that is no child of this process, at last."""
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_guard_goes_on_where_the_one_that_is_to_follow_does_not_come(host: Host) -> None:
    guard, _ = host.guarded()
    wait_for(lambda: not host.board[Slot.TELLING])
    epoch, calls = host.board[Slot.EPOCH], host.xen.calls()
    host.break_configuration()
    for count in (1, 2):
        guard.send_signal(signal.SIGHUP)
        wait_for(partial(host.has_logged, "was to follow this one has ended", count))
    deadline_ns = host.board[Slot.DEADLINE]
    wait_for(lambda: host.board[Slot.DEADLINE] > deadline_ns)
    assert guard.poll() is None
    assert (host.board[Slot.EPOCH], host.xen.calls()) == (epoch, calls)


def test_a_frozen_guards_guest_stands_still_and_goes_on(host: Host) -> None:
    guard, _ = host.guarded()
    began_ns = now_ns()
    guard.send_signal(signal.SIGSTOP)
    await_stop(host, began_ns)
    wait_for(lambda: now_ns() - began_ns > 1.5 * NS_PER_S)
    assert not host.runs()
    guard.send_signal(signal.SIGCONT)
    wait_for(host.runs)
    assert host.xen.pauses == 0


def test_a_frozen_guard_that_is_superseded_destroys(host: Host) -> None:
    guard, _ = host.guarded()
    guard.send_signal(signal.SIGSTOP)
    won = win(host)
    assert isinstance(host.b.note(won.epoch), Noted)
    last_ns = host.xen.ran()[-1]
    assert last_ns < won.until_ns - TTL_S * NS_PER_S
    guard.send_signal(signal.SIGCONT)
    wait_for(lambda: not host.xen.is_there)
    assert host.xen.ran()[-1] == last_ns
    wait_for(lambda: "event superseded" in host.xen.events())
    assert host.record().holder == "b"


def test_a_guest_that_is_handed_over_stands_still_before_another_wins(host: Host) -> None:
    host.guarded()
    guard_store.hand_over(host.run_dir, host.name, host.board[Slot.EPOCH])
    wait_for(lambda: not host.record().is_held)
    won = win(host)
    wait_for(lambda: not host.runs())
    assert host.xen.ran()[-1] < won.until_ns - TTL_S * NS_PER_S


def test_a_guest_whose_lease_another_process_has_won_goes_on(host: Host) -> None:
    host.start("minder")
    host.start("guard")
    wait_for(lambda: host.board[Slot.GUARD_TICK] and host.board[Slot.MINDER_TICK])
    won = host.a.acquire()
    assert isinstance(won, Held), won
    assert isinstance(host.a.note(won.epoch), Noted)
    host.xen.create(pauses=1)
    guard_store.arm(host.run_dir, host.name, guard_store.Armed(NUMBER, won.epoch, won.until_ns - NS_PER_S // 2))
    wait_for(lambda: host.board[Slot.EPOCH] == won.epoch)
    host.xen.wake()
    beat = host.record().beat
    wait_for(lambda: host.record().beat > beat + 2)
    assert host.record().epoch == won.epoch
    assert host.runs()
    assert host.xen.calls() == []


def test_a_guest_that_halts_is_not_brought_back_by_its_backup(host: Host) -> None:
    host.guarded()
    host.a.note(host.board[Slot.EPOCH], "copy")
    host.xen.sets(flags=1 << 2)
    looked_ns = now_ns() + NS_PER_S // 5
    wait_for(lambda: host.board[Slot.GUARD_TICK] > looked_ns)
    host.xen.sets(number=0)
    wait_for(lambda: not host.record().is_held)
    assert (host.record().runner, host.record().backup) == ("a", "")


def test_a_guest_that_crashes_is_left_to_its_backup(host: Host) -> None:
    host.guarded()
    host.a.note(host.board[Slot.EPOCH], "copy")
    host.xen.sets(number=0)
    wait_for(lambda: isinstance(host.b.acquire("copy"), Held))


@pytest.mark.parametrize("seed", [1])  # more were tried: it takes seconds each
def test_the_guest_never_runs_while_another_holds_its_lease(host: Host, member: Member, seed: int) -> None:
    chance = random.Random(seed)
    guard, minder = host.guarded()
    held_by_b, end = [], threading.Event()

    def contend() -> None:
        """Wins whatever is free, tells nobody of a copy, and gives it back."""
        while not end.is_set():
            if isinstance(won := host.b.acquire(starts=True), Held):
                end.wait(0.1)
                held_by_b.append((won.until_ns - int(TTL_S * NS_PER_S), now_ns()))
                host.b.release(won.epoch)
                end.wait(0.5)  # a guard asks ten times a second: it is its turn

    contender = threading.Thread(target=contend)
    contender.start()
    faults = chance.choices(["freeze guard", "freeze etcd", "kill guard", "freeze minder", "kill minder"], k=2)
    for fault in ("freeze guard", *faults):
        who = member.process if fault == "freeze etcd" else minder if "minder" in fault else guard
        assert who is not None
        who.send_signal(signal.SIGKILL if "kill" in fault else signal.SIGSTOP)
        end.wait(chance.uniform(1.3, 2.0) if fault == "freeze guard" else chance.uniform(0.2, 1.3))
        if fault == "kill guard":
            guard = host.start("guard")
        elif fault == "kill minder":
            minder = host.start_minder()
        else:
            who.send_signal(signal.SIGCONT)
        wait_for(lambda: host.runs() and host.board[Slot.EPOCH])
    end.set()
    contender.join()
    ran = host.xen.ran()
    assert held_by_b
    assert [stamp for begin, end in held_by_b for stamp in ran if begin <= stamp <= end] == []


def win(host: Host) -> Held:
    """As the backup would, were it the guest's."""
    while True:
        answer = host.b.acquire(starts=True)
        if isinstance(answer, Held):
            return answer


@pytest.fixture
def guard(host: Host, monkeypatch: pytest.MonkeyPatch, library: Path) -> Guard:
    """In this process, where no guest is."""
    monkeypatch.setenv("FAKE_XENCTRL", host.xen.environment["FAKE_XENCTRL"])
    monkeypatch.setattr("ctypes.util.find_library", lambda name: str(next(library.glob(f"lib{name}.so*"))))
    settings = RemusSettings(HostSettings("a", host.run_dir), lease=host.settings)
    return Guard(settings, host.name, patience.limits("a", host.settings), host.a, NoFence())


def test_a_guest_that_libxl_takes_away_at_once_is_seen_to_have_halted(
    host: Host, xenstored: FakeXenstored, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks by time it powers off, and is gone: its backup would bring it back."""
    monkeypatch.setattr("failover.guard_steps._LOOK_NS", 60 * NS_PER_S)
    xenstored.accept()
    host.xen.create()
    host.board.find(NUMBER)
    guard.step()
    guard.wait()  # for its own word
    guard.step()
    began_ns = now_ns()
    host.xen.sets(flags=1 << 2)
    xenstored.tell()
    guard.wait()
    guard.step()
    assert now_ns() - began_ns < 30 * NS_PER_S
    host.xen.sets(number=0)
    assert guard._look().has_halted


def test_an_order_is_heard_between_two_looks(host: Host, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("failover.guard_steps._LOOK_NS", 60 * NS_PER_S)
    guard.step()
    guard.wait()  # for its own word
    began_ns = now_ns()
    giver = threading.Timer(0.1, guard_store.alone, (host.run_dir, host.name))
    giver.start()
    guard.wait()
    giver.join()
    assert now_ns() - began_ns < 30 * NS_PER_S
    guard.step()
    told = host.told()
    assert told is not None
    assert told.ordered_ns > began_ns


def test_an_order_that_is_none_keeps_no_other_from_being_heard(host: Host, guard: Guard) -> None:
    for _ in range(2):  # it hears its own word
        guard.step()
    ordered_ns = guard_store.alone(host.run_dir, host.name)
    (guard_board.directory(host.run_dir, host.name) / "armed").write_text("nonsense")
    for _ in range(2):
        guard.step()
    told = host.told()
    assert told is not None
    assert told.ordered_ns == ordered_ns


def test_an_order_that_cannot_be_read_keeps_no_other_from_being_heard(host: Host, guard: Guard) -> None:
    orders = guard_board.directory(host.run_dir, host.name)
    (orders / "armed").mkdir()
    ordered_ns = guard_store.alone(host.run_dir, host.name)
    guard.step()
    told = host.told()
    assert told is not None
    assert told.ordered_ns == ordered_ns


def test_a_guard_that_cannot_write_what_it_tells_goes_on(host: Host, guard: Guard) -> None:
    """Until it can, a guard that follows it must not rely on what was told before."""
    state = guard_board.directory(host.run_dir, host.name) / "state"
    state.mkdir()
    host.board[Slot.TELLING] = 42
    for _ in range(2):
        guard.step()
    assert host.board[Slot.TELLING] == 42
    state.rmdir()
    guard.step()
    assert host.told() is not None
    assert host.board[Slot.TELLING] == 0


def test_a_guard_is_relieved_only_when_nothing_is_under_way(host: Host, guard: Guard, member: Member) -> None:
    guard.relief.is_ready = True
    with frozen(member):
        guard._of_lease.ask(Ask.LOOK, host.a.look)
        guard.step()
        assert not is_relieved(guard)
    while not is_relieved(guard):
        guard.wait()
        guard.step()
    guard._state = replace(guard._state, burnt_epoch=1)  # to be given back, of which the next one knows nothing
    assert not is_relieved(guard)


def test_a_guard_that_waits_for_xl_before_it_leaves_renews_meanwhile(guard: Guard) -> None:
    guard.relief.is_ready = True
    may_end = threading.Event()
    guard._of_xl.ask(Chore.SEARCH, may_end.wait)
    assert not guard._look().is_lease_asked
    assert not is_relieved(guard)
    may_end.set()
    guard.wait()
    guard.step()
    assert guard._look().is_lease_asked
    assert is_relieved(guard)


def is_relieved(guard: Guard) -> bool:
    """Which may change with each step."""
    return guard.is_relieved
