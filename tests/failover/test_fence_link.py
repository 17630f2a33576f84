"""One session for all calls of a host: each caller has its own answer, and no link is no worse than none before."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from failover import fence_link
from failover.fence_command import FenceCommand, Owner
from failover.fence_link import Link
from failover.guard_state import Denied, Given
from failover.lease import Unknown
from failover.lease_settings import FenceSettings
from tests.waiting import wait_for

SESSION = """
import json, pathlib, sys, time
folder, later = pathlib.Path(sys.argv[1]), []
for line in sys.stdin:
    number, verb, *words = line.split()
    with (folder / "asked").open("a") as asked:
        asked.write(line)
    if (folder / "mute").exists():
        continue
    said = {"answer": "refused", "reason": "not understood"}
    if verb == "give":
        said = {"answer": "refused", "reason": "it is over"} if int(words[2]) < 5 else {"answer": "done"}
    if verb == "show":
        said = {"answer": "done", "host": "b", "epoch": 7}
    later.append(f"{number} {json.dumps(said)}")
    if not (folder / "hold").exists():
        print("\\n".join(reversed(later)), flush=True)
        later = []
"""
COMMAND = """#!/bin/sh
echo '{"answer": "done", "host": "by command", "epoch": 1}'
"""


class Linked:
    """A host with a link, and fences of two guests that use it."""

    def __init__(self, folder: Path, limit_s: float = 20.0) -> None:
        self.folder, self.config, self.path = folder, folder / "remus.toml", folder / "run" / "fence.link"
        (folder / "session").write_text(SESSION)
        (folder / "command").write_text(COMMAND)
        (folder / "command").chmod(0o755)
        serve = (sys.executable, str(folder / "session"), str(folder))
        settings = FenceSettings((str(folder / "command"),), limit_s, serve)
        self.config.write_text(
            f'[host]\nname = "a"\nrun_dir = "{self.path.parent}"\n'
            '[lease]\nendpoints = ["http://127.0.0.1:1"]\ncluster_id = "c1"\n'
            f"[fence]\ncommand = {json.dumps(settings.command)}\nserve = {json.dumps(serve)}\nlimit_s = {limit_s}\n"
        )
        self.web1, self.web2 = (FenceCommand(settings, guest, "a", self.path) for guest in ("web1", "web2"))

    @contextmanager
    def link(self) -> Iterator["subprocess.Popen[str]"]:
        words = [str(Path(sys.executable).with_name("hefery-remus")), "fence-link", "--config", str(self.config)]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_for(lambda: self.path.exists() or process.poll() is not None)
                yield process
            finally:
                process.kill()

    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Linked:
    return Linked(tmp_path)


def test_calls_are_made_in_one_session(host: Linked) -> None:
    with host.link():
        assert host.web1.give(42) == Given(42)
        assert host.web2.give(3) == Denied(3, "it is over")
        assert host.web1.owner() == Owner("b", 7)
    assert host.asked() == ["0 hello", "1 give web1 a 42", "2 give web2 a 3", "3 show web1"]


def test_each_caller_has_its_own_answer_in_whatever_order_they_come(host: Linked) -> None:
    with host.link():
        (host.folder / "hold").touch()
        answers: dict[int, object] = {}
        callers = [
            threading.Thread(target=lambda epoch=epoch: answers.update({epoch: host.web1.give(epoch)}))
            for epoch in (3, 8, 4)
        ]
        for caller in callers:
            caller.start()
        wait_for(lambda: len(host.asked()) == 4)
        (host.folder / "hold").unlink()
        assert host.web2.owner() == Owner("b", 7)
        for caller in callers:
            caller.join()
    assert answers == {3: Denied(3, "it is over"), 8: Given(8), 4: Denied(4, "it is over")}


def test_without_a_link_the_command_is_called(host: Linked) -> None:
    assert host.web1.owner() == Owner("by command", 1)
    with host.link() as link:
        link.kill()
        link.wait()
        assert host.path.exists()
        assert host.web1.owner() == Owner("by command", 1)


def test_a_session_that_does_not_answer_is_silence_and_another_is_begun(tmp_path: Path) -> None:
    host = Linked(tmp_path, limit_s=0.2)
    with host.link() as link:
        (host.folder / "mute").touch()
        answer = host.web1.give(42)
        assert isinstance(answer, Unknown)
        assert "no answer within 0.2 s" in answer.reason
        assert link.wait(timeout=20) == 1
        assert link.stderr is not None
        assert "the session has ended" in link.stderr.read()
    assert not host.path.exists()


def test_a_session_that_never_answered_is_no_link(host: Linked) -> None:
    (host.folder / "session").write_text("import sys; sys.exit(255)")
    with host.link() as link:
        assert link.wait(timeout=20) == 1
    assert host.web1.owner() == Owner("by command", 1)


def test_only_its_own_user_may_call(host: Linked) -> None:
    with host.link():
        assert host.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("call", [b"give web1\nshow web1\n", b"no end", b"\xff\n"])
def test_what_is_no_call_is_not_passed_on(host: Linked, call: bytes) -> None:
    with host.link(), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(host.path))
        caller.sendall(call)
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(100) == b""
        assert host.web1.owner() == Owner("b", 7)
    assert host.asked() == ["0 hello", "1 show web1"]


def test_to_begin_a_link_takes_little() -> None:
    """Nor what its unit forbids: ctypes writes code."""
    program = "import sys, failover.fence_link; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"ctypes", "ssl", "http.client"} & set(done.stdout.split())


def test_a_link_that_hears_nobody_any_more_ends() -> None:
    """A caller would wait at its socket for nothing; systemd begins another."""
    link = Link(("sleep", "300"), 1.0)
    with link._session as session:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, pytest.raises(OSError, match="Invalid"):
            fence_link._listen(link, listening)  # it does not listen
        assert session.wait(timeout=20) == -signal.SIGKILL
