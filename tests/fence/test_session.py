"""A session answers as the command does, each guest by itself, and ends where another version was installed."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fence import session
from tests.fence.server import Server, running_server, write_under_way


class Session:
    """Of host `b`, through the pipe that ssh would be."""

    def __init__(self, server: Server) -> None:
        reading, self._writing = os.pipe()
        self.process = server.begin("--from", "b", ssh="serve", stdin=reading)
        os.close(reading)

    def say(self, line: str) -> None:
        os.write(self._writing, f"{line}\n".encode())

    def hear(self) -> tuple[str, dict[str, Any]]:
        assert self.process.stdout is not None
        number, _, answer = self.process.stdout.readline().partition(" ")
        return number, json.loads(answer)

    def end(self) -> int:
        """By the end of the connection; its status."""
        os.close(self._writing)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        assert server.call("restore") == {"answer": "done"}
        yield server


def test_calls_are_answered_as_those_of_the_command(server: Server) -> None:
    at = Session(server)
    asked = ["give web1 b 6", "show web1", "give web1 b 5", "give web1 a 7", "restore", "show web3"]
    for number, words in enumerate(asked, 10):
        at.say(f"{number} {words}")
        told, answer = at.hear()
        assert (told, answer) == (str(number), server.call("--from", "b", ssh=words))
    assert at.end() == 0
    assert server.mounted_writable() == ["b"]


def test_a_call_that_takes_long_holds_up_no_other_guests(server: Server) -> None:
    server.call("give", "web1", "a", "5")
    at = Session(server)
    with server.writer("a") as last_write:
        at.say("1 give web1 b 6")
        with write_under_way(last_write):
            at.say("2 give web2 b 6")
            assert at.hear() == ("2", {"answer": "done", "guest": "web2", "host": "b", "epoch": 6})
        assert at.hear()[0] == "1"
    assert at.end() == 0


def test_what_is_under_way_when_the_connection_ends_is_done(server: Server) -> None:
    server.call("give", "web1", "a", "5")
    at = Session(server)
    with server.writer("a") as last_write:
        at.say("1 give web1 b 6")
        with write_under_way(last_write):
            os.close(at._writing)
        at.process.communicate(timeout=20)
    assert server.mounted_writable() == ["b"]


def test_another_version_begins_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = iter([1, 1, 2, 2])
    monkeypatch.setattr(session, "_program", lambda: next(versions))
    answers = io.StringIO()
    session.serve(["1 show web1\n", "2 show web1\n", "3 show web1\n"], answers, lambda words: {"said": words})
    assert sorted(answers.getvalue().splitlines()) == [f'{n} {{"said": ["show", "web1"]}}' for n in (1, 2)]


def test_a_call_that_is_cut_off_is_none() -> None:
    """Its epoch may be a part of another."""
    answers = io.StringIO()
    session.serve(["1 give web1 a 42\n", "2 give web1 a 4"], answers, lambda words: {"said": words[-1]})
    assert answers.getvalue() == '1 {"said": "42"}\n'


def test_a_call_that_nobody_has_thought_of_is_answered() -> None:
    """Silence would end the session, and with it the other guests' calls."""

    def breaks(words: list[str]) -> dict[str, Any]:
        raise LookupError(words[0])

    answers = io.StringIO()
    session.serve(["1 show web1\n"], answers, breaks)
    assert answers.getvalue() == '1 {"answer": "failed", "reason": "LookupError(\'show\')"}\n'
