import logging
import threading
from collections.abc import Mapping
from typing import cast

import pytest

from agent.clock import Now
from agent.decisions import DecisionFeed
from telemetry.point import Point
from telemetry.store import Store, StoreError, StoreUnavailable
from telemetry.units import NS_PER_S

NOW = Now(5, 1_700_000_000 * NS_PER_S)


class FakeStore:
    """As much of a store as the feed asks for."""

    def __init__(self, *domains: str) -> None:
        fields = {"interval_ms": 500.0}
        self.points = [Point("decision", {"domain": domain}, fields, NOW.wall_ns) for domain in domains]
        self.asked: list[tuple[int, Mapping[str, str] | None]] = []
        self.error: StoreError | None = None
        self.closed = False

    def latest(self, measurement: str, *, since_ns: int, where: Mapping[str, str] | None) -> list[Point]:
        assert measurement == "decision"
        self.asked.append((since_ns, where))
        if self.error:
            raise self.error
        return self.points

    def close(self) -> None:
        self.closed = True


def feed_of(store: FakeStore, *wanted: str) -> DecisionFeed:
    feed = DecisionFeed(lambda: cast(Store, store), period_s=0.001, read_clock=lambda: NOW)
    feed.wanted = frozenset(wanted)
    return feed


def test_hands_on_what_is_wanted_once() -> None:
    store = FakeStore("db", "web", "other")
    feed = feed_of(store, "web", "db")
    feed.poll(cast(Store, store))
    assert feed.news.is_set()
    found, seen = feed.take() or ([], None)
    assert [decision.domain for decision in found] == ["db", "web"]
    assert seen == NOW
    assert feed.take() is None
    assert not feed.news.is_set()
    assert store.asked == [(NOW.wall_ns - 120 * NS_PER_S, None)]


def test_what_has_not_changed_is_no_news() -> None:
    store = FakeStore("web")
    feed = feed_of(store, "web")
    feed.poll(cast(Store, store))
    assert feed.take() is not None
    feed.poll(cast(Store, store))
    assert not feed.news.is_set()
    assert feed.take() is None
    store.points = [Point("decision", {"domain": "web"}, {"interval_ms": 25.0}, NOW.wall_ns)]
    feed.poll(cast(Store, store))
    assert feed.news.is_set()


def test_asks_for_the_one_domain_of_a_host_alone() -> None:
    store = FakeStore("web")
    feed_of(store, "web").poll(cast(Store, store))
    assert store.asked[0][1] == {"domain": "web"}


def test_asks_nothing_while_nothing_is_replicated() -> None:
    store = FakeStore("web")
    feed_of(store).poll(cast(Store, store))
    assert store.asked == []


def test_a_store_in_trouble_is_logged_once_and_gives_no_news(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore("web")
    feed = feed_of(store, "web")
    store.error = StoreUnavailable("no route")
    with caplog.at_level(logging.WARNING):
        feed.poll(cast(Store, store))
        feed.poll(cast(Store, store))
        assert feed.take() is None
        store.error = None
        feed.poll(cast(Store, store))
    assert feed.take() is not None
    assert [record.getMessage() for record in caplog.records] == [
        "decisions: no route",
        "decisions: the store answers again",
    ]


def test_runs_until_it_is_stopped_and_closes_its_store() -> None:
    store, stop = FakeStore("web"), threading.Event()
    feed = feed_of(store, "web")
    thread = threading.Thread(target=feed.run, args=(stop,))
    thread.start()
    assert feed.news.wait(5.0)
    stop.set()
    thread.join(5.0)
    assert store.closed
