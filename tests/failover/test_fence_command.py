"""Commands that stand in for a fence: only what a fence would say counts, and never after its time."""

import json
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from failover import fence_command
from failover.fence_command import FenceCommand, Owner
from failover.guard_state import Answers, Denied, Given
from failover.guard_workers import NoFence
from failover.lease import Unknown
from failover.lease_settings import FenceSettings, LeaseSettings
from failover.settings import HostSettings, RemusSettings

LIMIT_S = 10.0


class Script:
    """A command that writes down its words, then does what a test says."""

    def __init__(self, folder: Path, text: str, limit_s: float = LIMIT_S) -> None:
        self._path, self.asked = folder / "fence", folder / "asked"
        self._path.write_text(f'#!/bin/sh\necho "$@" >>{self.asked}\n{text}\n')
        self._path.chmod(0o755)
        settings = FenceSettings((str(self._path), "-x"), limit_s)
        self.fence = FenceCommand(settings, "web1", "a")


def answering(folder: Path, status: int, message: object) -> Script:
    return Script(folder, f"echo '{json.dumps(message)}'; exit {status}")


def test_the_disk_is_given_by_the_words_of_the_contract(tmp_path: Path) -> None:
    script = answering(tmp_path, 0, {"answer": "done", "guest": "web1", "host": "a", "epoch": 42})
    assert script.fence.give(42) == Given(42)
    assert script.asked.read_text() == "-x give web1 a 42\n"


def test_a_refusal_is_for_good(tmp_path: Path) -> None:
    script = answering(tmp_path, 3, {"answer": "refused", "reason": "epoch 42 is over"})
    assert script.fence.give(42) == Denied(42, "epoch 42 is over")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (1, {"answer": "failed", "reason": "b still writes"}),
        (0, {"answer": "failed", "reason": "b still writes"}),
        (0, {"answer": "refused"}),
        (3, {"answer": "done"}),
        (255, {"answer": "done"}),
        (0, {"answer": ["done"]}),
        (0, ["done"]),
        (0, "done"),
    ],
)
def test_all_else_is_silence(tmp_path: Path, status: int, message: object) -> None:
    fence = answering(tmp_path, status, message).fence
    assert isinstance(fence.give(42), Unknown)
    assert isinstance(fence.probe(), Unknown)


def test_what_a_command_complains_of_is_the_reason(tmp_path: Path) -> None:
    answer = Script(tmp_path, "echo 'no route to host' >&2; exit 255").fence.give(42)
    assert isinstance(answer, Unknown)
    assert "status 255: no route to host" in answer.reason


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    answer = FenceCommand(FenceSettings((str(tmp_path / "none"),)), "web1", "a").probe()
    assert isinstance(answer, Unknown)
    assert "No such file" in answer.reason


def test_a_command_is_ended_in_time_with_all_that_it_has_started(tmp_path: Path) -> None:
    script = Script(tmp_path, f"(sleep 2; echo late >>{tmp_path}/asked) & wait", limit_s=0.5)
    began_s = time.monotonic()
    answer = script.fence.give(42)
    assert time.monotonic() - began_s < 2
    assert isinstance(answer, Unknown)
    assert "within 0.5 s" in answer.reason
    time.sleep(2)  # nothing is to be waited for: what would come must not
    assert script.asked.read_text() == "-x give web1 a 42\n"


def test_a_connection_that_is_kept_for_the_next_call_does_not_hold_up_this_one(tmp_path: Path) -> None:
    """As ssh's ControlPersist does: it has the same standard output and error."""
    script = Script(tmp_path, f'sleep {LIMIT_S * 2} & echo \'{{"answer": "done"}}\'')
    began_s = time.monotonic()
    assert script.fence.give(42) == Given(42)
    assert time.monotonic() - began_s < LIMIT_S / 2


def test_the_owner_is_shown(tmp_path: Path) -> None:
    script = answering(tmp_path, 0, {"answer": "done", "guest": "web1", "host": "b", "epoch": 7, "writable": ["b"]})
    assert script.fence.owner() == Owner("b", 7)
    assert script.fence.probe() == Answers()
    assert script.asked.read_text() == "-x show web1\n-x show web1\n"


@pytest.mark.parametrize(
    ("shown", "owner"),
    [
        ({"host": None, "epoch": None}, Owner("", 0)),
        ({}, None),
        ({"host": "b", "epoch": "soon"}, None),
        ({"host": "b", "epoch": 1e999}, None),
    ],
)
def test_an_owner_that_is_none(tmp_path: Path, shown: dict[str, object], owner: Owner | None) -> None:
    seen = answering(tmp_path, 0, {"answer": "done", **shown}).fence.owner()
    assert seen == owner if owner else isinstance(seen, Unknown)


def test_without_a_fence_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(fence_command.of(RemusSettings(HostSettings("a")), "web1"), NoFence)
    assert "there is no fence" in caplog.text


def test_the_fence_of_the_settings(tmp_path: Path) -> None:
    lease = LeaseSettings(("http://127.0.0.1:2379",), "c1")
    script = answering(tmp_path, 0, {"answer": "done"})
    settings = RemusSettings(HostSettings("b"), lease=lease, fence=FenceSettings((str(tmp_path / "fence"),)))
    assert fence_command.of(settings, "web2").give(3) == Given(3)
    assert script.asked.read_text() == "give web2 b 3\n"


def test_a_link_that_takes_no_more_callers_is_silence(tmp_path: Path) -> None:
    """As one that is frozen: its queue fills up."""
    link = tmp_path / "link"
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listening.bind(str(link))
        listening.listen(0)
        stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)).connect(str(link))
        fence = FenceCommand(FenceSettings(("false",), 0.2), "web1", "a", link)
        assert isinstance(fence.probe(), Unknown)


def test_a_link_that_talks_on_and_on_is_not_heard_for_ever(tmp_path: Path) -> None:
    link = tmp_path / "link"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(link))
        listening.listen()
        talker = threading.Thread(target=talk, args=(listening,))
        talker.start()
        assert isinstance(FenceCommand(FenceSettings(("false",)), "web1", "a", link).probe(), Unknown)
        talker.join()


def talk(listening: socket.socket) -> None:
    caller, _ = listening.accept()
    with caller, suppress(BrokenPipeError, ConnectionResetError):
        while True:
            caller.sendall(b" " * 4096)
