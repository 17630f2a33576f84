import fcntl
import os
from pathlib import Path

import pytest

from lab import actions, machine
from lab.errors import LabError
from lab.landscape import MACHINES, Instance

DAY_S = 86_400


@pytest.fixture
def lab(tmp_path: Path) -> Instance:
    return Instance("x", state=tmp_path / "state", run=tmp_path / "run", cache=tmp_path / "cache")


def test_forgets_only_builds_that_nobody_has_used_for_long(lab: Instance) -> None:
    now = 1e9
    for name, age_days in (("new", 1), ("old", 31)):
        (lab.cache / name / "boot").mkdir(parents=True)
        os.utime(lab.cache / name, (now, now - age_days * DAY_S))
    (lab.cache / "packages").mkdir()
    os.utime(lab.cache / "packages", (now, 0))
    assert actions.unused(lab.cache, now) == [lab.cache / "old"]


def test_one_command_at_a_time_changes_an_instance(lab: Instance) -> None:
    lab.run.mkdir()
    with lab.run.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LabError, match="another command is changing lab x: wait for it to end"):
            actions.down(lab)


def test_only_what_runs_can_be_in_a_snapshot(lab: Instance) -> None:
    with pytest.raises(LabError, match="a, b, f must run to be in a snapshot: `python -m lab up` first"):
        actions.snapshot(lab, "base")


def test_a_host_that_does_not_run_has_no_power_to_cut(lab: Instance) -> None:
    for host in MACHINES:
        actions.kill(lab, host)
        assert machine.find(lab, host) is None
