from pathlib import Path

import pytest

from lab.commands import log_run, run
from lab.errors import LabError


def test_hands_back_what_is_printed() -> None:
    assert run("sh", "-c", 'cat; echo "$WORD"', stdin="in ", environment={"WORD": "out"}) == "in out\n"


def test_tells_what_failed_and_what_it_said_last() -> None:
    with pytest.raises(LabError, match=r"(?s)`sh -c .*failed \(3\):.*line 40$") as caught:
        run("sh", "-c", "for i in $(seq 40); do echo line $i >&2; done; exit 3")
    assert "line 20\n" not in str(caught.value)


def test_names_the_remedy_for_a_missing_program() -> None:
    with pytest.raises(LabError, match="no-such-program is not installed: run `make lab`"):
        run("no-such-program")


def test_does_not_wait_for_ever() -> None:
    with pytest.raises(LabError, match=r"took more than 0\.1 s"):
        run("sleep", "60", timeout_s=0.1)


def test_a_long_command_is_logged(tmp_path: Path) -> None:
    log, words = tmp_path / "log", tmp_path / "words"
    words.write_text("one\n")
    log_run(log, "cat", stdin=words)
    with pytest.raises(LabError, match=f"see {log}"):
        log_run(log, "sh", "-c", "echo two >&2; exit 1")
    assert log.read_text() == "one\ntwo\n"
