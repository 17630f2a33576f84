"""Fixtures of tests that need guards: in, a folder; out, a pair of hosts with a real etcd."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.etcd import Member, running_etcd
from tests.failover import fake_xenctrl
from tests.failover.fake_xenstored import FakeXenstored
from tests.failover.guarded_pair import GuardedPair

TTL_S = 2.0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_xenctrl.build(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Member]:
    with running_etcd(tmp_path_factory.mktemp("etcd")) as (only,):
        yield only


@pytest.fixture
def xenstored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeXenstored]:
    """What this process finds in xenstored's place."""
    fake = FakeXenstored(tmp_path)
    monkeypatch.setenv("XENSTORED_PATH", fake.environment["XENSTORED_PATH"])
    yield fake
    fake.close()


@pytest.fixture
def is_there() -> bool:
    """Whether the guest runs on a from the beginning."""
    return True


@pytest.fixture
def guarded() -> str:
    """The hosts with guards."""
    return "a"


@pytest.fixture
def pair(tmp_path: Path, library: Path, member: Member, is_there: bool, guarded: str) -> Iterator[GuardedPair]:
    with ExitStack() as stack:
        pair = GuardedPair(tmp_path, library, [member], stack, TTL_S, is_there=is_there, guarded=guarded)
        yield pair
        for host in (pair.a, pair.b):
            print(f"{host.name}:", host.log(), host.events())
        print(pair.record())
