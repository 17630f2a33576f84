import os
import time
from pathlib import Path

import pytest

from failover import clock, events
from telemetry.units import NS_PER_S


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the words of stand-ins for both programs come to be."""
    log = tmp_path / "told"
    program(tmp_path, "hefery-agent", f'echo agent "$@" >>{log}')
    program(tmp_path, "systemd-run", f'echo run "$1" "$2" "$3" >>{log}; shift 4; exec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    return log


def lines(log: Path, count: int) -> list[str]:
    deadline_s = time.monotonic() + 10
    while not log.exists() or len(log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return log.read_text().splitlines()


EVENT = "agent event released --domain web1 --text it runs here alone --time 17"


def test_event_is_handed_to_the_agents_command(told: Path) -> None:
    events.tell("released", "web1", "it runs here alone", 17)
    assert lines(told, 1) == [EVENT]


def test_event_of_a_unit_outlives_the_unit(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef")
    events.tell("released", "web1", "it runs here alone", 17)
    assert lines(told, 2) == ["run --quiet --collect --no-block", EVENT]


def test_missing_program_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    events.tell("released", "web1", "it runs here alone")
    assert "in no store: hefery-agent" in caplog.text


def test_what_comes_again_and_again_is_told_at_once_and_then_the_newest_of_a_minute(
    told: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now_s = 1000
    monkeypatch.setattr(clock, "now_ns", lambda: now_s * NS_PER_S)
    seldom = events.Seldom("web1")
    for number in range(3):
        seldom.tell("paused", f"the {number + 1}. time")
        seldom.tell("goes_on", "the lease is held")
    now_s += 59
    seldom.catch_up()
    assert {line.rpartition(" --time ")[0] for line in lines(told, 2)} == {
        "agent event paused --domain web1 --text the 1. time",
        "agent event goes_on --domain web1 --text the lease is held",
    }
    assert "the 2. time" in caplog.text
    now_s += 1
    seldom.catch_up()
    seldom.catch_up()
    assert len(lines(told, 4)) == 4
    assert "the 3. time" in told.read_text()
    assert "the 2. time" not in told.read_text()


def test_what_is_kept_back_is_told_before_an_end(told: Path) -> None:
    seldom = events.Seldom("web1")
    seldom.tell("paused", "once")
    seldom.tell("paused", "again")
    seldom.tell_all()
    assert {line.partition("--text ")[2].split()[0] for line in lines(told, 2)} == {"once", "again"}


def test_who_has_told_is_no_child_of_a_process_that_lives_long(told: Path) -> None:
    def children() -> set[str]:
        return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())

    before, seldom = children(), events.Seldom("web1")
    seldom.tell("paused", "once")
    assert children() > before
    lines(told, 1)
    deadline_s = time.monotonic() + 10
    while not children() <= before:
        seldom.catch_up()
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_whatever_others_have_worded_is_told(told: Path) -> None:
    """A fence, or etcd, whose reason would otherwise end the guard that tells of it."""
    events.tell("paused", "web1", "the fence refuses: \0 and \ud800 and\na line", 17)
    assert lines(told, 1) == ["agent event paused --domain web1 --text the fence refuses:   and   and a line --time 17"]
