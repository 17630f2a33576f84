import os
import time
from pathlib import Path

import pytest

from failover import events


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
