import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from lab.trials.guest import Guest
from lab.trials.part import Turn
from lab.trials.parts.killed import Case

UNIT = Guest.declared().unit


def turn(number: int, folder: Path) -> Turn:
    return Turn(number, Random(f"1 killed {number}"), folder)


def test_ten_trials_kill_everything_in_both_phases(tmp_path: Path) -> None:
    cases = [Case.draw(turn(number, tmp_path)) for number in range(1, 11)]
    assert len({(case.victim, case.phase) for case in cases}) == 10
    assert {case.phase for case in cases[:2]} == {"protected", "first copy"}
    assert {case.victim for case in cases[:2]} == {"xl remus"}


def test_a_trial_is_the_same_again_and_another_one_is_not(tmp_path: Path) -> None:
    first, again, other = (Case.draw(turn(number, tmp_path)) for number in (3, 3, 13))
    assert first == again
    assert (first.victim, first.phase) == (other.victim, other.phase)
    assert first.wait_s != other.wait_s


@pytest.mark.parametrize("victim", ["xl remus", "helper", "transport", "xl migrate-receive", "receiver"])
def test_the_victim_alone_is_killed_once_the_stream_has_begun(
    victim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By stand-ins that know of one process each, as the kernel's names of real ones are the hosts'."""
    with subprocess.Popen(["sleep", "60"]) as process:
        number = process.pid
        asked = {
            "systemctl": f'[ "$*" = "show --property=MainPID --value {UNIT}" ] && echo {number}',
            "pgrep": f"[ -e {tmp_path}/begun ] && echo {number} || ! touch {tmp_path}/begun",
            "ps": f'[ "$*" = "-o ppid= -p {number}" ] && echo " {number}"',
        }
        for name, text in asked.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        subprocess.run(["bash", "-c", Case(victim, "protected", 25, 0.01).command(UNIT)], check=True, timeout=10)
        assert process.wait(10) == -9
