"""SIGKILL at 50 random moments: what `add` has returned for is in the store once, or counted as dropped."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from agent.spool import Spool
from agent.spool_state import read_state
from telemetry.settings import SqliteSettings, StoreSettings
from telemetry.stores import open_store
from tests.agent.victim import KEPT, START_NS, TRIED, Place, live, point, sender_of
from tests.faults import Act, Answer, Fault, FaultProxy, Request
from tests.influxd import Influx

LARGE = 10**9
LONGEST_LIFE_S = 0.25
SENT = 500
"""So many points have left when the kills have met a sender at work."""
FAULTS: list[Fault] = [Answer(503), Answer(429), Act.CUT_REQUEST, Act.CUT_RESPONSE]


class Lives:
    """Processes that live one after the other on one spool, and what they have promised."""

    def __init__(self, directory: Path, settings: StoreSettings | None, max_bytes: int = LARGE) -> None:
        self.place = Place(directory / "spool.db", max_bytes, settings, directory / "journal")
        self.place.journal.touch()
        # a server that has loaded the program forks each life from itself: 20 ms instead of a second
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.agent.victim"])

    def numbers(self, word: str) -> set[int]:
        """Of the points that were tried to spool, or are kept."""
        lines = [line.split() for line in self.place.journal.read_text().splitlines()]
        spans = [(int(first), int(end)) for said, first, end in lines if said == word]
        return {n for first, end in spans for n in range(first, end)}

    def several(self, least: int) -> Iterator[int]:
        """Numbers of lives to live: `least`, and on a busy machine as many more as it takes to meet the sender."""
        for number in range(10 * least):
            if number >= least and read_state(self.place.spool).sent > SENT:
                return
            yield number

    def live_and_be_killed(self, random: Random) -> None:
        first = max(self.numbers(TRIED), default=0) + 1
        size_before = self.place.journal.stat().st_size
        process = self.context.Process(target=live, args=(self.place, first, random.getrandbits(32)))
        process.start()
        try:
            end_s = time.monotonic() + 30.0
            while self.place.journal.stat().st_size == size_before and time.monotonic() < end_s:
                time.sleep(0.001)
            time.sleep(random.uniform(0.0, LONGEST_LIFE_S))  # the random moment
            assert process.is_alive()
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -9

    def open_spool(self) -> Spool:
        return Spool(self.place.spool, max_bytes=self.place.max_bytes, max_age_s=1e9)


def drain(spool: Spool, settings: StoreSettings) -> None:
    sender = sender_of(spool, settings)
    end_s = time.monotonic() + 30.0
    while spool.state().points and time.monotonic() < end_s:
        sender.step()
    assert spool.state().points == 0


def stored(settings: StoreSettings) -> list[int]:
    """The numbers of the points in the store, each as often as it is there; whole and unchanged."""
    store = open_store(settings)
    points = store.events("host", START_NS, START_NS + 10**9)
    store.close()
    numbers = [p.time_ns - START_NS for p in points]
    assert points == [point(n) for n in numbers]
    return numbers


def assert_all_arrived(lives: Lives, settings: StoreSettings) -> None:
    spool = lives.open_spool()
    assert spool.state().sent > SENT
    drain(spool, settings)
    numbers = stored(settings)
    assert len(numbers) == len(set(numbers))
    assert lives.numbers(KEPT) <= set(numbers) <= lives.numbers(TRIED)
    state = spool.state()
    assert (state.dropped, state.quarantined) == ({}, 0)
    assert state.sent == len(numbers)
    spool.close()


def test_killed_before_a_local_store(tmp_path: Path) -> None:
    settings = SqliteSettings(kind="sqlite", path=tmp_path / "store.db")
    open_store(settings).close()
    lives, random = Lives(tmp_path, settings), Random(1)
    for _ in lives.several(10):
        lives.live_and_be_killed(random)
    assert_all_arrived(lives, settings)


@contextmanager
def weather(proxy: FaultProxy, decide: Callable[[Request], Fault]) -> Iterator[None]:
    proxy.decide = decide
    yield
    proxy.decide = lambda _: Act.PASS


def test_killed_while_the_server_is_up_down_and_flapping(
    influx: Influx, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    lives, random = Lives(tmp_path, influx.settings(url=fault_proxy.url, timeout_s=1.0)), Random(2)
    weathers: list[Callable[[Request], Fault]] = [
        lambda _: Act.PASS,
        lambda _: Answer(503),
        lambda _: random.choice([Act.PASS, *FAULTS]),
    ]
    for life in lives.several(30):
        with weather(fault_proxy, weathers[life % 3]):
            lives.live_and_be_killed(random)
    assert_all_arrived(lives, influx.settings())


def test_killed_at_the_bounds_while_the_server_is_away(tmp_path: Path) -> None:
    lives, random = Lives(tmp_path, None, max_bytes=20_000), Random(3)
    for _ in range(10):
        lives.live_and_be_killed(random)
    spool = lives.open_spool()
    dropped = spool.state().dropped["bytes"]
    settings = SqliteSettings(kind="sqlite", path=tmp_path / "store.db")
    drain(spool, settings)
    numbers = stored(settings)
    assert 0 < len(numbers) < dropped
    assert len(lives.numbers(KEPT)) <= len(numbers) + dropped <= len(lives.numbers(TRIED))
    assert set(numbers) <= lives.numbers(TRIED)
    assert max(numbers) >= max(lives.numbers(KEPT))
    spool.close()
