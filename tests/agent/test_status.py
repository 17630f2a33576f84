import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent import hold, lock, status
from agent.clock import Now, boot_id
from agent.order import Order, order_path, write
from agent.protection import Protection, protection_path, show
from agent.service import lock_path
from agent.settings import AgentSettings
from agent.spool import Spool
from telemetry.point import Point
from telemetry.units import NS_PER_S

NOW = Now(monotonic_ns=1_000 * NS_PER_S, wall_ns=1_700_000_000 * NS_PER_S)


@pytest.fixture
def settings(tmp_path: Path) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "store": {"kind": "sqlite", "path": str(tmp_path / "store.db")},
            "run_dir": str(tmp_path / "run"),
            "spool": {"path": str(tmp_path / "spool.db")},
            "governor": {"primary": "assumed", "domains": ["web"]},
        }
    )


def spool_of(settings: AgentSettings) -> Spool:
    return Spool(settings.spool.path, max_bytes=10**6, max_age_s=1e9, wall_ns=lambda: NOW.wall_ns)


def order(settings: AgentSettings, domain: str, interval_ms: int, left_s: float) -> None:
    deadline_ns = NOW.monotonic_ns + int(left_s * NS_PER_S)
    write(order_path(settings.run_dir, domain), Order(1, interval_ms, deadline_ns))


def later(seconds: float) -> Now:
    return Now(NOW.monotonic_ns + int(seconds * NS_PER_S), NOW.wall_ns + int(seconds * NS_PER_S))


def problems(settings: AgentSettings, now: Now = NOW) -> tuple[str, ...]:
    with lock.held(lock_path(settings)):
        return status.status(settings, now).problems


def test_all_is_well(settings: AgentSettings) -> None:
    spool = spool_of(settings)
    spool.add([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, n) for n in (1, 2)])
    spool.sent(spool.oldest(1))
    order(settings, "web", 2_000, left_s=12.5)
    with lock.held(lock_path(settings)):
        told = status.status(settings, later(2.5))
    assert told.problems == ()
    assert told.running
    assert told.domains == (status.DomainStatus("web", True, 2_000, 10.0, None, 0.0, None),)
    assert status.table(told, later(2.5)).splitlines() == [
        "agent     running",
        f"spool     1 points wait ({told.spool.bytes if told.spool else 0} bytes), the oldest for 2.5 s",
        "sent      1, last 2.5 s ago",
        "dropped   none",
        "refused   0",
        "domain    web: 2000 ms (order for 10.0 s more), protection unknown",
    ]
    assert json.loads(json.dumps(status.as_json(told)))["spool"]["points"] == 1


def test_an_agent_that_never_ran_is_a_problem_and_nothing_is_made(settings: AgentSettings) -> None:
    told = status.status(settings, NOW)
    assert not told.running
    assert "not running" in told.problems[0]
    assert not settings.spool.path.exists()


def test_a_part_of_the_running_agent_that_fails_is_a_problem(settings: AgentSettings) -> None:
    order(settings, "web", 2_000, left_s=60.0)
    spool_of(settings).failing({"xen": "xentop is not there"})
    assert problems(settings) == ("xen fails, and is tried again: xentop is not there",)
    assert "xentop" not in str(status.status(settings, NOW).problems)  # it no longer runs


def test_a_store_in_trouble_is_a_problem(settings: AgentSettings) -> None:
    order(settings, "web", 2_000, left_s=60.0)
    spool_of(settings).trouble("401: give the token the right")
    assert problems(settings) == ("points wait in the spool: 401: give the token the right",)


def test_points_that_wait_too_long_are_a_problem(settings: AgentSettings) -> None:
    spool_of(settings).add([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, 1)])
    assert not any("waits for" in problem for problem in problems(settings, later(60.0)))
    assert "the oldest of 1 points waits for 61.0 s; is the agent overloaded?" in problems(settings, later(61.0))


def test_a_refused_point_is_a_problem_for_a_day(settings: AgentSettings) -> None:
    spool = spool_of(settings)
    spool.add([Point("host", {"host": "a"}, {"cpu_ratio": 0.5}, 1)])
    spool.quarantine([(spool.oldest(1)[0], "422: field type conflict")])
    found = [problem for problem in problems(settings, later(5.0)) if "refused a point 5.0 s ago" in problem]
    assert len(found) == 1
    assert "field type conflict" in found[0]
    assert '"cpu_ratio": 0.5' in found[0]
    assert not any("refused" in problem for problem in problems(settings, later(86_401.0)))


def test_a_damaged_spool_is_a_problem_until_it_is_dealt_with(settings: AgentSettings) -> None:
    order(settings, "web", 2_000, left_s=60.0)
    settings.spool.path.write_bytes(b"no database" * 1_000)
    (problem,) = problems(settings)
    assert "damaged" in problem
    spool_of(settings)
    (problem,) = problems(settings)
    assert ".recover, then delete it" in problem
    next(settings.spool.path.parent.glob("*.damaged-*")).unlink()
    assert problems(settings) == ()


def test_a_primary_without_an_order_is_a_problem(settings: AgentSettings) -> None:
    order(settings, "web", 2_000, left_s=1.0)
    assert problems(settings) == ()
    assert problems(settings, later(1.0)) == ("web: no order stands, so it is at 25 ms; is there a fresh decision?",)


def test_a_replication_that_is_not_alive_is_a_problem(settings: AgentSettings) -> None:
    order(settings, "web", 2_000, left_s=60.0)
    show(protection_path(settings.run_dir, "web"), {"protected": False}, 1.0, NOW.monotonic_ns)
    assert problems(settings) == ("web: unprotected, no checkpoint arrives; look at journalctl -u remus@web",)


def test_shows_holds_and_domains_of_which_this_host_is_not_the_primary(settings: AgentSettings) -> None:
    order(settings, "web", 100, left_s=60.0)
    order(settings, "gone", 2_000, left_s=-5.0)
    hold.place(hold.hold_path(settings.run_dir, "web"), 100, 3_600, NOW, boot_id())
    figures = {"rate_per_s": 5.4, "pause_ms": 110.2}
    show(protection_path(settings.run_dir, "web"), {"protected": True, **figures}, 1.0, NOW.monotonic_ns)
    with lock.held(lock_path(settings)):
        told = status.status(settings, NOW)
    gone, web = told.domains
    assert gone == status.DomainStatus("gone", False, 25, 0.0, None, 0.0, None)
    assert web == status.DomainStatus("web", True, 100, 60.0, 100, 3_600.0, Protection(True, figures))
    assert status.table(told, NOW).splitlines()[1:] == [
        "domain    gone: 25 ms (no order, not the primary), protection unknown",
        (
            "domain    web: 100 ms (order for 60.0 s more, held to 100 ms for 3600 s more), "
            "protected: 5.4 checkpoints/s, 110 ms pause"
        ),
    ]
    ended = replace(web, hold_ms=None, hold_left_s=0.0, interval_ms=25, order_left_s=0.0, protection=None)
    assert status.status(settings, later(3_600.0)).domains[1] == ended


def test_a_hold_that_cannot_be_read_is_a_problem(settings: AgentSettings) -> None:
    order(settings, "web", 25, left_s=60.0)
    hold.hold_path(settings.run_dir, "web").write_text("?")
    (problem,) = problems(settings)
    assert "release it with hefery-agent hold --release" in problem
