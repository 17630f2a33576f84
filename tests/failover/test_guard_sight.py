"""Where a guard looks for its domain, with stand-ins for Xen and xl."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import guard_sight
from failover.guard_board import Board, Slot
from failover.guard_sight import Sight
from failover.hypervisor import DomainState, Hypervisor
from telemetry.units import NS_PER_S
from tests.failover.fake_xenctrl import NUMBER, FakeXen


@pytest.fixture
def xen(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXen]:
    xen = FakeXen(tmp_path, library, "web1")
    for name in ("FAKE_XENCTRL", "PATH"):
        monkeypatch.setenv(name, xen.environment[name])
    monkeypatch.setattr("ctypes.util.find_library", lambda name: str(next(library.glob(f"lib{name}.so*"))))
    yield xen
    xen.close()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "run", "web1")


@pytest.fixture
def sight(xen: FakeXen, board: Board) -> Sight:
    return Sight("web1", Hypervisor(), board)


def test_a_domain_that_has_come_is_searched_and_seen(sight: Sight, board: Board, xen: FakeXen) -> None:
    assert sight.look() == (None, True)
    assert not must_search(sight)
    xen.create()
    assert sight.look() == (None, True)
    assert must_search(sight)
    sight.found(sight.search())
    assert board[Slot.NUMBER] == NUMBER
    assert sight.look() == (DomainState(is_paused=False), True)


def test_where_xl_cannot_tell_it_is_asked_again_soon(
    sight: Sight, xen: FakeXen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has not told of may run here unguarded."""
    now_ns = 1000 * NS_PER_S
    monkeypatch.setattr(guard_sight, "now_ns", lambda: now_ns)
    xen.create()
    program = tmp_path / "bin" / "xl"
    works = program.read_text()
    for text, again_s in (("#!/bin/sh\nexit 1\n", 1), (works.replace("web1", "another"), 30)):
        program.write_text(text)
        sight.must_search = False
        now_ns += 60 * NS_PER_S
        sight.look()
        assert must_search(sight)
        sight.must_search = False
        sight.found(sight.search())
        now_ns += again_s * NS_PER_S - 1
        sight.look()
        assert not must_search(sight)
        now_ns += 1
        sight.look()
        assert must_search(sight)


def must_search(sight: Sight) -> bool:
    """Which may change with each look."""
    return sight.must_search
