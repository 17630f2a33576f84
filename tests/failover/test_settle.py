"""After `xl remus` was killed: the real programs, with stand-ins for xl and libxl."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from failover import backup, let_out, processes, xl
from failover.settings import RemusSettings
from tests.failover import fake_libxl
from tests.failover.hosts import Pair
from tests.waiting import wait_for

SUSPENDED, RUNNING = "---ss-", "-b----"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    pair.a.environment |= fake_libxl.build(tmp_path)
    yield pair
    pair.end()
    print("a:", pair.a.log(), "b:", pair.b.log())


def kill(pair: Pair, remus: "subprocess.Popen[bytes]", state: str) -> None:
    """Kill xl at a moment when the guest is in this state: stopped first, so that the moment lasts."""

    def stopped_there() -> bool:
        os.kill(remus.pid, signal.SIGSTOP)
        if pair.a.domains()[pair.domain] == state:
            return True
        os.kill(remus.pid, signal.SIGCONT)
        return False

    wait_for(stopped_there)
    remus.kill()
    remus.wait()


def settle(pair: Pair) -> tuple[int, str]:
    code, told = pair.a.act("settle")
    return code, str(told.get("error", told.get("state")))


def test_a_guest_that_was_left_suspended_goes_on_and_nothing_else_is_left(pair: Pair) -> None:
    kill(pair, pair.protect(), SUSPENDED)
    assert settle(pair) == (0, RUNNING)
    assert pair.a.runs()
    assert processes.helpers_of(pair.domain) == []
    assert processes.sender_of(pair.domain) == []
    wait_for(lambda: pair.b.domains() == {})


def test_a_guest_that_suspends_after_the_end_of_xl_goes_on(pair: Pair) -> None:
    kill(pair, pair.protect(), RUNNING)
    xl, asked = pair.a.folder / "bin" / "xl", pair.a.folder / "asked"
    xl.write_text(xl.read_text().replace("exec", f'echo "$@" >>{asked}\nexec', 1))
    settling = pair.a.start(*pair.a.words("settle", "--domain", pair.domain))
    wait_for(lambda: asked.exists() and asked.read_text().splitlines() == ["list", "list"])
    (pair.a.folder / "domains").write_text(f"{pair.domain} {SUSPENDED}\n")
    assert settling.wait(20) == 0
    assert pair.a.runs()


def test_a_guest_that_cannot_be_resumed_is_an_error_and_an_event(pair: Pair) -> None:
    pair.a.environment["resume"] = "-3"
    kill(pair, pair.protect(), SUSPENDED)
    code, error = settle(pair)
    assert code == 1
    assert "cannot be resumed" in error
    wait_for(lambda: "event stands_still --domain" in pair.a.events())


def test_a_replication_that_lives_is_left_alone(pair: Pair) -> None:
    remus = pair.protect()
    code, error = settle(pair)
    assert code == 1
    assert "is still replicated from here" in error
    assert remus.poll() is None
    assert processes.sender_of(pair.domain)


def test_a_domain_that_was_handed_over_is_no_error(pair: Pair) -> None:
    (pair.a.folder / "domains").write_text("")
    assert settle(pair) == (0, "absent")


def hold_output(pair: Pair) -> Path:
    """Have it held; the file that says so, which the program removes that lets it out."""
    note, script = pair.a.run_dir / f"{pair.domain}.output", pair.a.folder / "bin" / "hefery-output"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()
    script.write_text(f'#!/bin/sh\n[ "$*" = "release {pair.domain}" ] && rm {note}\n')
    script.chmod(0o755)
    return note


@pytest.mark.parametrize("verb", ["settle", "let-out"])
@pytest.mark.parametrize("runs", [True, False])
def test_output_that_was_held_is_let_out(pair: Pair, runs: bool, verb: str) -> None:
    note = hold_output(pair)
    if not runs:
        (pair.a.folder / "domains").write_text("")
    assert pair.a.act(verb)[0] == 0
    assert not note.exists()


@pytest.mark.parametrize("verb", ["settle", "let-out"])
def test_output_stays_held_while_a_replication_lives(pair: Pair, verb: str) -> None:
    pair.protect()
    note = hold_output(pair)
    assert pair.a.act(verb)[0] == 1
    assert note.exists()


def test_output_stays_held_while_a_copy_may_take_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = cast("RemusSettings", SimpleNamespace(lease=object(), host=SimpleNamespace(run_dir=tmp_path)))
    monkeypatch.setattr(xl, "domains", lambda: {"web1": None})
    monkeypatch.setattr(backup, "forget", lambda *_: False)
    (tmp_path / "web1.output").touch()
    assert not let_out.once_alone(settings, "web1")
    assert (tmp_path / "web1.output").exists()


def test_status_tells_of_output_that_is_held(pair: Pair) -> None:
    hold_output(pair)
    code, seen = pair.a.does("status", "--json")
    assert (code, seen["domains"][0]["output_held"]) == (3, True)
    words = pair.a.words("status")
    said = subprocess.run(words, env=pair.a.environment, capture_output=True, text=True, check=False).stdout
    assert f"{pair.domain}: running {RUNNING}, UNPROTECTED, WHAT IT HAS SENT IS HELD" in said
