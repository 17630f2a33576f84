"""A guest that is handed over by its lease, and a host that is emptied: the real programs, guards, and etcd."""

import pytest

from failover import guard_store
from failover.clock import now_ns
from failover.patience import PROBED_NS
from telemetry.units import NS_PER_S
from tests.failover.guarded_pair import FENCE_LIMIT_S, GuardedPair
from tests.waiting import wait_for


@pytest.fixture
def guarded() -> str:
    return "ab"


def test_hand_over(pair: GuardedPair) -> None:
    pair.named()
    code, told = pair.a.act("hand-over")
    assert code == 0, told
    assert list(told["steps_s"]) == ["prepared", "paused", "taken_over", "destroyed"]
    assert pair.a.domains() == {}
    assert pair.b.domains() == {pair.domain: "r-----"}
    record = pair.record()
    assert (record.holder, record.runner, record.backup, pair.owner()) == ("b", "b", "", "b")
    assert pair.xen["a"].ran()[-1] < pair.xen["b"].ran()[0]
    wait_for(lambda: "event superseded" in pair.a.events())
    assert pair.status(pair.a)[0] == 0
    assert pair.status(pair.b)[1]["problems"] == []


@pytest.mark.parametrize("is_dead", [True, False])
def test_a_guest_that_the_peer_does_not_take_goes_on(pair: GuardedPair, is_dead: bool) -> None:
    pair.named()
    (pair.fence / "deaf-to-b").touch()  # it would answer, but gives nothing
    epoch = pair.record().epoch
    receiver = pair.receivers.processes[0]
    command = pair.a.start(*pair.a.words("hand-over", "--domain", pair.domain))
    wait_for(lambda: pair.record().holder == "b")
    if is_dead:
        receiver.kill()
    assert command.wait(60) == 1
    wait_for(pair.runs_at_a)
    assert pair.record().epoch > epoch
    assert "goes on here, under a new lease" in pair.a.log()
    wait_for(lambda: pair.record().backup == ("" if is_dead else pair.mark()))


@pytest.mark.parametrize(
    ("lacks", "reason"), [("fence", "the fence does not answer"), ("guard", "this host's guard is not awake")]
)
def test_a_guest_that_the_peer_could_not_take_is_not_paused(pair: GuardedPair, lacks: str, reason: str) -> None:
    pair.named()
    epoch, events = pair.record().epoch, pair.a.events()
    # the last sign of life of either is one for some time
    if lacks == "fence":
        (pair.fence / "silent").touch()
        old_ns = now_ns() + int(FENCE_LIMIT_S * NS_PER_S) + PROBED_NS
        wait_for(lambda: now_ns() > old_ns)
    else:
        pair.kill(pair.b, "guard")
        wait_for(lambda: guard_store.current(pair.b.run_dir, pair.domain) is None)
    code, told = pair.a.act("hand-over")
    assert code == 1
    assert f"could not take it: the guest is to be taken over: {reason}" in told["error"]
    assert pair.a.events() == events
    assert pair.runs_at_a()
    assert (pair.record().epoch, pair.record().is_held) == (epoch, True)


def test_an_unprotected_guest_is_not_handed_over(pair: GuardedPair) -> None:
    pair.replicate(FAKE_FIRST_COPY_S="300")
    code, told = pair.a.act("hand-over")
    assert code == 1
    assert "has no backup that could take over" in told["error"]
    assert pair.runs_at_a()


def test_maintenance(pair: GuardedPair) -> None:
    pair.named()
    code, told = pair.a.does("maintenance")
    assert (code, told["handed_over"], told["left"]) == (0, [pair.domain], {})
    assert pair.b.runs()
    assert pair.a.does("status", "--json")[1]["in_maintenance"] is True


def test_a_host_in_maintenance_takes_no_copies(pair: GuardedPair) -> None:
    assert pair.b.does("maintenance")[0] == 0
    assert pair.a.replicate().wait(30) == 1
    assert "b is in maintenance, and takes no copies" in pair.a.log()
    assert pair.b.does("maintenance", "--end")[0] == 0
    pair.named()


def test_maintenance_names_what_it_leaves(pair: GuardedPair) -> None:
    code, told = pair.a.does("maintenance")
    assert (code, told["handed_over"]) == (1, [])
    assert "has no backup" in told["left"][pair.domain]
    assert pair.runs_at_a()


def shut_down(pair: GuardedPair) -> None:
    """Have systemd say that it ends all that a runs."""
    systemctl = pair.a.folder / "bin" / "systemctl"
    systemctl.write_text("#!/bin/sh\necho stopping\nexit 1\n")
    systemctl.chmod(0o755)


def test_a_host_that_is_shut_down_hands_its_guest_over(pair: GuardedPair) -> None:
    remus = pair.named()
    shut_down(pair)
    code, told = pair.a.act("release")
    assert (code, told["act"]) == (0, "hand-over"), told
    remus.wait()
    assert pair.a.domains() == {}
    assert pair.b.domains() == {pair.domain: "r-----"}
    assert (pair.record().holder, pair.owner()) == ("b", "b")


def test_a_guest_that_nobody_can_take_is_released_first(pair: GuardedPair) -> None:
    remus = pair.named()
    pair.kill(pair.b, "guard")
    wait_for(lambda: guard_store.current(pair.b.run_dir, pair.domain) is None)
    shut_down(pair)
    code, told = pair.a.act("release")
    assert (code, told["act"]) == (0, "release"), told
    remus.wait()
    assert "ends with this host: " in pair.a.log()
    assert pair.record().backup == ""
    assert pair.b.domains() == {}
