"""The minder looks at what the guard has written down, and at nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from errno import EIO
from pathlib import Path
from threading import Timer

import pytest

from failover import cli, guard_store
from failover.clock import now_ns
from failover.guard_board import Board, Slot
from failover.guard_store import Told
from failover.minder import Minder
from telemetry.units import NS_PER_S
from tests.failover import fake_xenctrl
from tests.failover.fake_xenctrl import NUMBER, FakeXen

PAUSE_NS = 3 * NS_PER_S


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_xenctrl.build(tmp_path_factory.mktemp("library"))


@pytest.fixture
def xen(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXen]:
    xen = FakeXen(tmp_path, library, "web1")
    xen.create()
    for name in ("FAKE_XENCTRL", "PATH"):
        monkeypatch.setenv(name, xen.environment[name])
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: str(next(library.glob(f"lib{name}.so*"))))
    yield xen
    xen.close()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path / "run", "web1")
    board.find(NUMBER)
    return board


@pytest.fixture
def minder(tmp_path: Path, xen: FakeXen, board: Board) -> Minder:
    return Minder(tmp_path / "run", "web1", PAUSE_NS)


def test_a_guest_within_its_deadline_runs(minder: Minder, board: Board, xen: FakeXen) -> None:
    board[Slot.DEADLINE] = now_ns() + NS_PER_S
    minder.look()
    assert xen.pauses == 0
    assert 0.9 * NS_PER_S < minder.left_ns() <= 1.1 * NS_PER_S


@pytest.mark.parametrize("left_s", [-0.1, -1000.0, 3.5])
def test_one_that_is_past_or_further_away_than_any_is_paused_once(
    minder: Minder, board: Board, xen: FakeXen, left_s: float
) -> None:
    board[Slot.DEADLINE] = now_ns() + int(left_s * NS_PER_S)
    for _ in range(3):
        minder.look()
    assert (xen.pauses, board[Slot.MINDER_PAUSED]) == (1, 1)


def test_how_far_away_a_deadline_may_be_its_guard_says(minder: Minder, board: Board, xen: FakeXen) -> None:
    """It may have followed another, with other settings than the minder's."""
    board[Slot.MOST_LEFT] = 5 * NS_PER_S
    board[Slot.DEADLINE] = now_ns() + 4 * NS_PER_S
    minder.look()
    assert xen.pauses == 0
    assert 3.5 * NS_PER_S < minder.left_ns() <= 4.1 * NS_PER_S
    board[Slot.DEADLINE] = now_ns() + 6 * NS_PER_S
    minder.look()
    assert xen.pauses == 1


def test_one_that_never_had_a_lease_is_paused(minder: Minder, xen: FakeXen) -> None:
    minder.look()
    assert xen.pauses == 1


@pytest.mark.parametrize("pauses", [0, 1])
def test_it_does_not_rely_on_the_guards_pause(minder: Minder, board: Board, xen: FakeXen, pauses: int) -> None:
    board[Slot.GUARD_PAUSED] = 1
    xen.sets(pauses=pauses)
    minder.look()
    assert (xen.pauses, board[Slot.MINDER_PAUSED]) == (pauses + 1, 1)


def test_xen_that_fails_is_asked_again(minder: Minder, xen: FakeXen) -> None:
    xen.sets(fails=EIO)
    minder.look()
    xen.sets(fails=0)
    minder.look()
    assert xen.pauses == 1


@pytest.mark.parametrize("verb", ["guard", "minder"])
@pytest.mark.parametrize(("domain", "says"), [("web1", "there is no [lease]"), ("old", "no domain old")])
def test_without_a_lease_or_declaration_nothing_is_guarded(tmp_path: Path, verb: str, domain: str, says: str) -> None:
    config = tmp_path / "remus.toml"
    config.write_text(
        f'[host]\nname = "a"\nrun_dir = "{tmp_path}"\n[[peers]]\nname = "b"\naddress = "127.0.0.1"\n'
        '[[domains]]\nname = "web1"\npeers = ["a", "b"]\n'
    )
    program = str(Path(sys.executable).with_name("hefery-remus"))
    done = subprocess.run(
        [program, verb, "--domain", domain, "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=dict(os.environ),
    )
    assert done.returncode == 1
    assert says in done.stderr


def test_where_no_guest_is_it_looks_seldom_and_where_one_must_not_run_often(minder: Minder, board: Board) -> None:
    assert minder.left_ns() == NS_PER_S // 10
    board.find(0)
    assert minder.left_ns() == NS_PER_S


def test_what_its_guard_tells_is_heard_before_the_deadline(tmp_path: Path, minder: Minder, board: Board) -> None:
    """As where the guard has lost its lease, and dies before it has paused."""
    minder.wait()
    board[Slot.DEADLINE] = deadline_ns = now_ns() + PAUSE_NS
    teller = Timer(0.1, guard_store.tell, (tmp_path / "run", Told("web1", NUMBER, 0, is_paused=False, reason="lost")))
    teller.start()
    minder.wait()
    teller.join()
    assert now_ns() < deadline_ns - NS_PER_S


@pytest.mark.parametrize(("verb", "waits"), [("guard", True), ("minder", True), ("status", False)])
def test_settings_that_cannot_be_used_are_tried_again_at_leisure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, waits: bool
) -> None:
    """By systemd, at once and in real time, which leaves a host of one CPU no time for its other guests' guards."""
    done: list[object] = []
    monkeypatch.setenv("INVOCATION_ID", "0")
    monkeypatch.setattr(os, "sched_setscheduler", lambda _, policy, __: done.append(policy))
    monkeypatch.setattr(time, "sleep", done.append)
    domain = ["--domain", "web1"] if waits else []
    assert cli.main([verb, *domain, "--config", str(tmp_path / "none")]) == 1
    assert done == ([os.SCHED_OTHER, 10.0] if waits else [])
