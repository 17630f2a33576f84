"""Every order of events that a heartbeat can judge, with the real programs: the guest runs exactly once."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover import caller, processes, xl
from failover.config import load
from failover.processes import Process
from tests.failover.hosts import Pair
from tests.waiting import wait_for

MOMENT_S = 1.5
"""Longer than the silence that means death."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.end()
    print("a:", pair.a.log(), "b:", pair.b.log())


def kill(found: list[Process]) -> None:
    assert found
    assert processes.kill(found) == []


def assert_goes_on_alone_at_a(pair: Pair) -> None:
    wait_for(lambda: pair.phase() == "none")
    wait_for(lambda: pair.b.domains() == {})
    wait_for(pair.a.runs)
    assert pair.copies() == 1
    assert "takeover" not in pair.b.events()


def test_power_cut_of_the_primary(pair: Pair) -> None:
    remus = pair.protect()
    pair.cut_power_of_a(remus)
    began_s = time.monotonic()
    wait_for(pair.b.runs)
    assert 0.8 < time.monotonic() - began_s < 10
    wait_for(lambda: "event takeover --domain" in pair.b.events())
    assert pair.phase() == "running"
    code, seen = pair.b.does("status", "--json")
    assert (code, seen["domains"][0]["role"], seen["domains"][0]["protected"]) == (3, "running", False)


def test_power_cut_of_the_backup(pair: Pair) -> None:
    """Seen before the stream is given up for standing still, as the guest stands still with it."""
    remus = pair.protect()
    pair.cut_power_of_b()
    remus.wait()
    wait_for(pair.a.runs)
    assert "no longer protected: the other side is silent" in pair.a.log()


def test_power_cut_before_the_first_full_copy(pair: Pair) -> None:
    remus = pair.a.replicate(FAKE_FIRST_COPY_S="300")
    wait_for(lambda: f"{pair.domain}--incoming" in pair.b.domains())
    pair.cut_power_of_a(remus)
    time.sleep(MOMENT_S)
    assert not pair.b.runs()
    assert pair.phase() == "receiving"


@pytest.mark.parametrize("victim", ["xl", "helper", "sender"])
def test_kill_on_the_primary(pair: Pair, victim: str) -> None:
    remus = pair.protect()
    helpers = processes.helpers_of(pair.domain)
    match victim:
        case "xl":
            remus.kill()
        case "helper":
            kill(helpers)
        case "sender":
            kill(processes.sender_of(pair.domain))
    remus.wait()
    wait_for(lambda: pair.phase() == "none")
    wait_for(lambda: "event given_up --domain" in pair.b.events())
    processes.kill(helpers)  # systemd and `settle` do this for xl's
    assert pair.b.domains() == {}
    assert pair.a.domains()[pair.domain]


def test_kill_of_the_receiver_wakes_nothing(pair: Pair) -> None:
    remus = pair.protect()
    pair.receivers.processes[-1].kill()
    remus.wait()
    assert_goes_on_alone_at_a(pair)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_no_signal_to_the_receiver_is_a_takeover(pair: Pair, number: signal.Signals) -> None:
    remus = pair.protect()
    pair.receivers.processes[-1].send_signal(number)
    remus.wait()
    assert_goes_on_alone_at_a(pair)


def test_kill_of_the_restoring_xl(pair: Pair) -> None:
    remus = pair.protect()
    kill(processes.marked(xl.MARK, pair.mark()))
    remus.wait()
    assert_goes_on_alone_at_a(pair)


def test_dead_heartbeat_daemon_of_a_living_primary(pair: Pair) -> None:
    pair.protect()
    pair.heartbeats["a"].kill()
    time.sleep(MOMENT_S)
    assert pair.phase() == "protected"
    assert pair.copies() == 1


def test_frozen_heartbeat_daemon_of_a_living_primary(pair: Pair) -> None:
    remus = pair.protect()
    pair.heartbeats["a"].send_signal(signal.SIGSTOP)
    os.kill(remus.pid, signal.SIGSTOP)  # no bytes in the stream either
    time.sleep(MOMENT_S)
    assert pair.phase() == "protected"
    os.kill(remus.pid, signal.SIGCONT)
    assert pair.copies() == 1


def test_nothing_is_decided_while_the_own_heartbeat_daemon_sleeps(pair: Pair) -> None:
    remus = pair.protect()
    pair.heartbeats["b"].send_signal(signal.SIGSTOP)
    wait_for(lambda: "own heartbeat daemon is not awake" in pair.b.log())
    pair.cut_power_of_a(remus)
    time.sleep(MOMENT_S)
    assert pair.b.domains() == {f"{pair.domain}--incoming": "--p---"}
    pair.heartbeats["b"].send_signal(signal.SIGCONT)
    wait_for(pair.b.runs)


def test_the_primary_is_told_the_mark_of_its_copy(pair: Pair) -> None:
    settings = load(pair.a.config)
    session, answer = caller.call(settings, settings.domains[0], "receive")
    with session.connection:
        assert answer["mark"] == pair.mark()
        assert pair.mark()


def test_second_connection_is_refused_while_the_first_lives(pair: Pair) -> None:
    first = pair.protect()
    second = pair.a.replicate()
    assert second.wait(20) == 1
    assert "held by another process" in pair.a.log()
    assert pair.phase() == "protected"
    assert first.poll() is None


def test_a_copy_never_comes_to_where_the_domain_runs(pair: Pair) -> None:
    (pair.b.folder / "domains").write_text(f"{pair.domain} -b----\n")
    assert pair.a.replicate().wait(20) == 1
    assert f"{pair.domain} runs here" in pair.a.log()
    assert pair.b.domains() == {pair.domain: "-b----"}


def test_nobody_listens(pair: Pair) -> None:
    pair.receivers.close()
    assert pair.a.replicate().wait(20) == 1
    assert "cannot be asked" in pair.a.log()
    assert pair.a.runs()


def test_what_a_dead_receiver_left_makes_room(pair: Pair) -> None:
    (pair.b.folder / "domains").write_text(f"{pair.domain}--incoming --p---\n")
    pair.protect()
    assert pair.b.domains() == {f"{pair.domain}--incoming": "--p---"}


def test_release(pair: Pair) -> None:
    remus = pair.protect()
    code, told = pair.a.act("release")
    assert code == 0
    assert told["peer_answered"]["had_copy"] is True
    assert remus.wait() == 1
    assert_goes_on_alone_at_a(pair)
    assert pair.a.act("release")[1]["peer_answered"]["had_copy"] is False


def test_release_where_the_peer_has_died(pair: Pair) -> None:
    pair.protect()
    pair.cut_power_of_b()
    code, told = pair.a.act("release")
    assert code == 4, told
    assert "IT MAY WAKE ITS COPY" in pair.a.log()
    assert pair.a.runs()


def test_release_refuses_where_the_peer_lives_and_does_not_answer(pair: Pair) -> None:
    remus = pair.protect()
    pair.receivers.close()
    code, told = pair.a.act("release")
    assert code == 1
    assert "It lives" in told["error"]
    assert remus.poll() is None
    assert pair.phase() == "protected"


def test_hand_over(pair: Pair) -> None:
    pair.protect()
    code, told = pair.a.act("hand-over")
    assert code == 0, told
    assert list(told["steps_s"]) == ["prepared", "replication_killed", "destroyed", "taken_over"]
    assert told["prepared"]["checkpoints"] >= 1
    assert pair.a.domains() == {}
    assert pair.b.domains() == {pair.domain: "r-----"}
    assert "event handed_over --domain" in pair.a.events()


def test_hand_over_refused_before_the_first_full_copy(pair: Pair) -> None:
    pair.a.replicate(FAKE_FIRST_COPY_S="300")
    wait_for(lambda: f"{pair.domain}--incoming" in pair.b.domains())
    code, told = pair.a.act("hand-over")
    assert code == 1
    assert "the first full copy has not arrived" in told["error"]
    assert pair.a.runs()


def test_hand_over_that_was_broken_off_goes_on(pair: Pair) -> None:
    """A's command dies between the destruction of its copy and its order: the one copy left must not be given up."""
    pair.protect()
    (pair.a.folder / "slow").touch()
    command = pair.a.start(*pair.a.words("hand-over", "--domain", pair.domain))
    wait_for(lambda: pair.a.domains() == {})
    command.kill()
    wait_for(lambda: pair.phase() == "held")
    pair.await_heartbeats(pair.b, "a", 0.5)  # without the announcement each of them would be the copy's end
    assert pair.b.domains() == {f"{pair.domain}--incoming": "--p---"}
    assert pair.phase() == "held"
    (pair.a.folder / "slow").unlink()
    assert pair.a.act("hand-over")[0] == 0
    assert pair.b.runs()


def test_take_over_by_hand(pair: Pair) -> None:
    remus = pair.protect()
    assert pair.b.act("take-over")[0] == 2  # --force is missing
    pair.heartbeats["b"].kill()
    os.kill(remus.pid, signal.SIGSTOP)
    code, told = pair.b.act("take-over", "--force")
    assert (code, told["running"]) == (0, True)
    assert pair.b.runs()


def test_clean_by_hand_ends_a_copy_in_use(pair: Pair) -> None:
    remus = pair.protect()
    code, told = pair.b.act("clean")
    assert (code, told["was_destroyed"]) == (0, True)
    remus.wait()
    assert_goes_on_alone_at_a(pair)


def test_status_of_a_protected_pair(pair: Pair) -> None:
    pair.protect()
    wait_for(lambda: pair.a.does("status", "--json")[0] == 0)
    seen = pair.a.does("status", "--json")[1]
    assert seen["domains"] == [
        {"name": pair.domain, "role": "running", "replicating": True, "protected": True, "peer": "b"}
        | {"state": seen["domains"][0]["state"], "output_held": False}
    ]
    seen = pair.b.does("status", "--json")[1]
    assert (seen["domains"][0]["role"], seen["domains"][0]["protected"]) == ("incoming", None)
    assert seen["receivers"] == [{"domain": pair.domain, "host": "a", "phase": "protected", "attended": True}]
    text = subprocess.run(pair.a.words("status"), env=pair.a.environment, capture_output=True, text=True, check=True)
    assert "protected by b" in text.stdout


def test_status_names_the_unprotected(pair: Pair) -> None:
    code, seen = pair.a.does("status", "--json")
    assert (code, seen["domains"][0]["protected"]) == (3, False)
    assert json.dumps(seen)
