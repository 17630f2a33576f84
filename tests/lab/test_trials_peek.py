import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.trials import peek

SECRET = b"Uieph5aiNgohQu4aeph8Ochu6ahxo3Oo"


def test_a_command_line_is_seen() -> None:
    wait = [sys.executable, "-c", "input()", SECRET.decode()]
    with subprocess.Popen(wait, stdin=subprocess.PIPE) as child:
        seen = list(peek.processes({"token": SECRET, "password": b"in no command line"}, Path("/proc")))
        assert child.stdin is not None
        child.stdin.close()
    assert seen == [f"token in the command line of {Path(sys.executable).name}"]


@pytest.mark.parametrize("before", [0, peek.CHUNK_BYTES - 5, 3 * peek.CHUNK_BYTES])
def test_a_file_is_seen_wherever_in_it_a_secret_is(before: int, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"." * before + SECRET + b"." * 100)
    with path.open("rb") as file:
        assert peek.within({"password": b"not there", "token": SECRET}, file) == ["token"]


def test_each_log_is_named_and_the_journal_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log" / "hefery").mkdir(parents=True)
    (tmp_path / "log" / "journal").mkdir()
    for name in ("hefery/training.log", "journal/system.journal"):
        (tmp_path / "log" / name).write_bytes(SECRET)
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\necho starting with {SECRET.decode()}\n")
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert list(peek.journal({"token": SECRET, "password": b"not there"})) == ["token in the journal"]
    assert list(peek.logs({"token": SECRET}, tmp_path / "log")) == [f"token in {tmp_path}/log/hefery/training.log"]

    (tmp_path / "journalctl").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        list(peek.journal({"token": SECRET}))


def test_it_runs_alone_and_prints_no_secret(tmp_path: Path) -> None:
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\necho {SECRET.decode()}\n")
    (tmp_path / "journalctl").chmod(0o755)
    ran = subprocess.run(
        [sys.executable, "-I", peek.__file__, str(tmp_path / "log")],
        input=json.dumps({"token": SECRET.decode()}),
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == ["token in the journal"]
    assert ran.stderr == ""
