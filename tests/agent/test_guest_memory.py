import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guest_memory import GuestMemory, sayings, used_ratio
from agent.xenstore import Xenstore, XenstoreFailed
from tests.agent.fake_xenstored import nodes, xenstored
from tests.agent.running import running

TEXT = "/local/domain/1/data/hefery/memory"


class Host:
    """A xenstore, and a clock."""

    def __init__(self, socket: Path, store: dict[str, str]) -> None:
        self.store = store
        self.xenstore = Xenstore(socket)
        self.now_s = 100.0
        self.memory = GuestMemory(monotonic_s=lambda: self.now_s)

    def says(self, text: str, after_s: float) -> float | None:
        self.now_s += after_s
        self.store[TEXT] = text
        self.memory.refresh(self.xenstore)
        return self.memory.ratio("h1")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    store = nodes()
    with xenstored(tmp_path / "socket", store):
        host = Host(tmp_path / "socket", store)
        yield host
        host.xenstore.close()


def test_finds_what_each_domain_says_by_its_name(host: Host) -> None:
    assert sayings(host.xenstore) == {"h1": "90112 67584 412"}


def test_a_guest_is_believed_once_its_text_changes_and_while_it_goes_on_changing(host: Host) -> None:
    assert host.says("1000 900 50", after_s=0.0) is None  # of a living writer, or of one long dead?
    assert host.says("1000 900 55", after_s=5.0) == pytest.approx(0.1)
    assert host.says("1000 750 60", after_s=5.0) == pytest.approx(0.25)
    assert host.says("1000 750 60", after_s=14.0) == pytest.approx(0.25)
    assert host.says("1000 750 60", after_s=2.0) is None
    assert host.says("1000 750 65", after_s=1.0) == pytest.approx(0.25)


def test_a_reading_ages_where_xenstore_is_no_longer_read(host: Host) -> None:
    host.says("1000 900 50", after_s=0.0)
    host.says("1000 900 55", after_s=5.0)
    host.now_s += 16.0
    assert host.memory.ratio("h1") is None


def test_nothing_is_known_of_a_domain_that_says_nothing_or_is_gone(host: Host) -> None:
    host.says("1000 900 50", after_s=0.0)
    host.says("1000 900 55", after_s=5.0)
    assert host.memory.ratio("web shop 1") is None
    host.store.clear()
    host.memory.refresh(host.xenstore)
    assert host.memory.ratio("h1") is None


@pytest.mark.parametrize("text", ["", "0 0 1", "100 200 1", "-100 50 1", "100 50", "100 50 1 2", "nan 1 1", "1e3 1 1"])
def test_a_text_that_makes_no_sense_tells_nothing(text: str) -> None:
    assert used_ratio(text) is None


@given(st.text() | st.from_regex(r"\d+ \d+ \d+", fullmatch=True))
def test_a_guest_may_write_what_it_likes(text: str) -> None:
    ratio = used_ratio(text)
    assert ratio is None or 0.0 <= ratio <= 1.0


def test_reads_until_it_is_stopped_and_emits_nothing(tmp_path: Path) -> None:
    store, emitted = nodes(), list[object]()
    memory = GuestMemory(period_s=0.02, connect=lambda: Xenstore(tmp_path / "socket"))
    with xenstored(tmp_path / "socket", store), running(memory, emitted.append):
        deadline_s, uptime_s, ratio = time.monotonic() + 10.0, 412, None
        while ratio is None and time.monotonic() < deadline_s:
            uptime_s += 1
            store[TEXT] = f"90112 67584 {uptime_s}"
            ratio = memory.ratio("h1")
    assert ratio == pytest.approx(0.25)
    assert emitted == []


def test_a_xenstore_that_is_not_there_reaches_the_supervisor(tmp_path: Path) -> None:
    memory = GuestMemory(connect=lambda: Xenstore(tmp_path / "socket"))
    with pytest.raises(XenstoreFailed, match="No such file"):
        memory.run(list[object]().append, threading.Event())
