from collections.abc import Iterator
from ctypes.util import find_library
from errno import EACCES, EIO
from pathlib import Path

import pytest

from failover.hypervisor import DomainState, Hypervisor, HypervisorError, _library
from tests.failover import fake_xenctrl
from tests.failover.fake_xenctrl import NUMBER, FakeXen

# LD_LIBRARY_PATH is read once, when a process starts: here the library is found by its path
SHUT_DOWN = 1 << 2


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_xenctrl.build(tmp_path_factory.mktemp("library"))


@pytest.fixture
def xen(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXen]:
    xen = FakeXen(tmp_path, library, "web1")
    monkeypatch.setenv("FAKE_XENCTRL", xen.environment["FAKE_XENCTRL"])
    monkeypatch.setattr("ctypes.util.find_library", lambda name: str(next(library.glob(f"lib{name}.so*"))))
    yield xen
    xen.close()


def test_pauses_are_counted(xen: FakeXen) -> None:
    xen.create()
    hypervisor = Hypervisor()
    for is_paused, does in [
        (False, hypervisor.pause),
        (True, hypervisor.pause),
        (True, hypervisor.unpause),
        (True, hypervisor.unpause),
    ]:
        assert hypervisor.state(NUMBER) == DomainState(is_paused)
        does(NUMBER)
    assert hypervisor.state(NUMBER) == DomainState(is_paused=False)
    with pytest.raises(HypervisorError, match=rf"xc_domain_unpause\({NUMBER}\): Invalid argument"):
        hypervisor.unpause(NUMBER)


@pytest.mark.parametrize(
    ("flags", "has_halted"),
    [(0, False), (SHUT_DOWN, True), (SHUT_DOWN | 1 << 16, True), (SHUT_DOWN | 2 << 16, False), (3 << 16, False)],
)
def test_who_has_halted_did_so_by_itself(xen: FakeXen, flags: int, has_halted: bool) -> None:
    xen.create()
    xen.sets(flags=flags)
    state = Hypervisor().state(NUMBER)
    assert state is not None
    assert state.has_halted is has_halted


def test_who_is_not_there(xen: FakeXen) -> None:
    hypervisor = Hypervisor()
    assert (hypervisor.numbers(), hypervisor.state(NUMBER)) == (frozenset(), None)
    xen.create()
    assert (hypervisor.numbers(), hypervisor.state(NUMBER - 1)) == (frozenset({NUMBER}), None)
    with pytest.raises(HypervisorError, match="No such process"):
        hypervisor.pause(NUMBER - 1)


def test_a_library_of_another_version_is_refused(xen: FakeXen) -> None:
    xen.sets(fails=EACCES)
    with pytest.raises(HypervisorError, match="of another version than the running Xen"):
        Hypervisor()


def test_what_nobody_can_tell_is_an_error(xen: FakeXen) -> None:
    hypervisor = Hypervisor()
    xen.sets(fails=EIO)
    with pytest.raises(HypervisorError, match="Input/output error"):
        hypervisor.state(NUMBER)


def test_the_running_xens_own_library_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a search, which would start a process."""
    there = find_library("xenctrl")
    assert there is not None
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    with pytest.raises(HypervisorError, match="libxenctrl is not installed"):
        _library(tmp_path)
    major, minor = there.removeprefix("libxenctrl.so.").split(".")
    (tmp_path / "major").write_text(f"{major}\n")
    (tmp_path / "minor").write_text(f"{minor}\n")
    assert _library(tmp_path)._name == there


def test_where_there_is_no_xen(xen: FakeXen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_XENCTRL", "/nowhere")
    with pytest.raises(HypervisorError, match="No such file or directory: is this dom0"):
        Hypervisor()
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    with pytest.raises(HypervisorError, match="libxenctrl is not installed"):
        Hypervisor()
