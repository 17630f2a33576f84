import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guest_memory import GuestMemory, XenstoreFailed, sayings, used_ratio

LISTING = (Path(__file__).parent.parent / "data" / "xenstore-ls-derived-two-guests.txt").read_text()


class Host:
    """A xenstore in a file, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.xenstore = folder / "listing"
        self.now_s = 100.0
        self.memory = GuestMemory(command=["cat", str(self.xenstore)], monotonic_s=lambda: self.now_s)

    def says(self, text: str, after_s: float) -> float | None:
        self.now_s += after_s
        self.xenstore.write_text(LISTING.replace("90112 67584 412", text))
        self.memory.refresh()
        return self.memory.ratio("h1")


def test_finds_what_each_domain_says_by_its_name() -> None:
    assert sayings(LISTING) == {"h1": "90112 67584 412"}


def test_a_guest_is_believed_once_its_text_changes_and_while_it_goes_on_changing(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.says("1000 900 50", after_s=0.0) is None  # of a living writer, or of one long dead?
    assert host.says("1000 900 55", after_s=5.0) == pytest.approx(0.1)
    assert host.says("1000 750 60", after_s=5.0) == pytest.approx(0.25)
    assert host.says("1000 750 60", after_s=14.0) == pytest.approx(0.25)
    assert host.says("1000 750 60", after_s=2.0) is None
    assert host.says("1000 750 65", after_s=1.0) == pytest.approx(0.25)


def test_a_reading_ages_where_xenstore_is_no_longer_read(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.says("1000 900 50", after_s=0.0)
    host.says("1000 900 55", after_s=5.0)
    host.now_s += 16.0
    assert host.memory.ratio("h1") is None


def test_nothing_is_known_of_a_domain_that_says_nothing_or_is_gone(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.says("1000 900 50", after_s=0.0)
    host.says("1000 900 55", after_s=5.0)
    assert host.memory.ratio("web shop 1") is None
    host.xenstore.write_text("")
    host.memory.refresh()
    assert host.memory.ratio("h1") is None


@pytest.mark.parametrize("text", ["", "0 0 1", "100 200 1", "-100 50 1", "100 50", "100 50 1 2", "nan 1 1", "1e3 1 1"])
def test_a_text_that_makes_no_sense_tells_nothing(text: str) -> None:
    assert used_ratio(text) is None


@given(st.text() | st.from_regex(r"\d+ \d+ \d+", fullmatch=True))
def test_a_guest_may_write_what_it_likes(text: str) -> None:
    ratio = used_ratio(text)
    assert ratio is None or 0.0 <= ratio <= 1.0


def test_reads_until_it_is_stopped_and_emits_nothing(tmp_path: Path) -> None:
    listing, stop = tmp_path / "listing", threading.Event()
    listing.write_text(LISTING)
    emitted: list[object] = []
    memory = GuestMemory(period_s=0.02, command=["cat", str(listing)])
    thread = threading.Thread(target=memory.run, args=(emitted.append, stop))
    thread.start()
    deadline_s, uptime_s, ratio = time.monotonic() + 10.0, 412, None
    while ratio is None and time.monotonic() < deadline_s:
        uptime_s += 1
        (tmp_path / "new").write_text(LISTING.replace("412", str(uptime_s)))
        (tmp_path / "new").rename(listing)
        ratio = memory.ratio("h1")
    stop.set()
    thread.join(5.0)
    assert not thread.is_alive()
    assert ratio == pytest.approx(0.25)
    assert emitted == []


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["no-such-program"], "no-such-program cannot be run: .*No such file"),
        (
            [sys.executable, "-c", "import sys; sys.exit('xs_directory: Permission denied')"],
            "status 1: xs_directory: Perm",
        ),
    ],
    ids=["missing", "refused"],
)
def test_what_xenstore_says_reaches_the_supervisor(command: list[str], complaint: str) -> None:
    with pytest.raises(XenstoreFailed, match=complaint):
        GuestMemory(command=command).refresh()
