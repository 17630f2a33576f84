"""Holding the guest's output: epochs end while it stands still and are let out at the commit, and not otherwise."""

import signal

import pytest

from agent.reports import Ended
from tests.pacer.conftest import Start
from tests.pacer.replication import Replication

EPOCH = ["suspend", "plug-hold", "resume", "commit", "plug-release-one"]
HELD = {"HEFERY_PACER_PLUG": "lo"}


def told(replication: Replication) -> list[str]:
    """What was done in its order."""
    return [what for what, _ in replication.trace()]


@pytest.mark.parametrize("libxl", ["4.17", "2.0"])
def test_an_epoch_ends_before_the_guest_resumes_and_is_let_out_at_its_commit(start: Start, libxl: str) -> None:
    replication = start(libxl=libxl, environment=HELD)
    replication.await_ns("plug-release-one", count=5)
    assert told(replication)[:27] == ["plug-open", "start", *EPOCH * 5]


def test_the_end_leaves_held_what_no_commit_has_let_out(start: Start) -> None:
    replication = start(environment=HELD)
    replication.await_ns("commit", count=2)
    replication.stop(signal.SIGTERM)
    assert told(replication).count("plug-open") == 1
    assert told(replication)[-1] == "guest-runs"


@pytest.mark.parametrize("libxl", ["4.17", "2.0"])
@pytest.mark.parametrize("refused", ["6", "7"])
def test_a_plug_that_ceases_to_obey_ends_replication_with_the_guest_running(
    start: Start, libxl: str, refused: str
) -> None:
    replication = start(libxl=libxl, environment={**HELD, "STAND_IN_PLUG_REFUSES": refused})
    assert replication.finish() == Ended("the guest's output can no longer be held")
    assert "the plug does not obey: No such file or directory" in replication.said()
    assert told(replication).count("plug-open") == 1
    assert told(replication).count("suspend") == told(replication).count("resume") == 3


def test_a_plug_that_does_not_obey_from_the_start_keeps_replication_from_starting(start: Start) -> None:
    replication = start(environment={**HELD, "STAND_IN_PLUG_REFUSES": "1"})
    assert replication.process.wait(timeout=10) == 1
    assert "cannot hold output on lo: No such file or directory" in replication.said()
    assert told(replication) == ["plug-open"]


def test_nothing_is_asked_of_the_kernel_unless_output_is_to_be_held(start: Start) -> None:
    replication = start(environment={"HEFERY_PACER_PLUG": ""})
    replication.await_ns("commit", count=3)
    assert [what for what in told(replication) if what.startswith("plug")] == []
