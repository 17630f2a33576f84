import os
from pathlib import Path

import pytest

from lab import boot, machine
from lab.errors import LabError
from lab.landscape import HOSTS, Instance


def test_tells_what_a_host_said_last_before_it_ended(tmp_path: Path) -> None:
    lab = Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path)
    lab.log(HOSTS["a"]).write_text("".join(f"line {number}\n" for number in range(40)) + "Kernel panic")
    machine.pid_file(lab, HOSTS["a"]).write_text(f"{os.getpid()} 1")
    with pytest.raises(LabError, match=r"(?s)^a ended while it booted, see .*a\.log:\n.*Kernel panic$") as caught:
        boot.wait(lab, {"a"})
    assert "line 20\n" not in str(caught.value)


def test_there_is_nothing_to_wait_for_where_nothing_was_started(tmp_path: Path) -> None:
    boot.wait(Instance("x", state=tmp_path, run=tmp_path, cache=tmp_path), set())
