import json
from pathlib import Path

import pytest

from lab.trials.playbooks import counts

PRINTED = (Path(__file__).parents[1] / "data" / "ansible-2.18-json-callback-changed.json").read_text()


def test_counts_are_those_of_the_recap_over_all_hosts() -> None:
    found = counts(PRINTED)
    assert (found.changed, found.failed, found.unreachable, found.broken) == (21, 0, 0, 0)
    assert found.tasks[0] == "f: nfs_server : Make the folders: changed"


def test_what_is_printed_before_is_passed_over() -> None:
    assert counts(f"[WARNING]: Collection at fault\n{PRINTED}") == counts(PRINTED)


def test_failures_and_hosts_out_of_reach_are_broken_and_named() -> None:
    said = json.loads(PRINTED)
    said["stats"]["a"] |= {"failures": 1}
    said["stats"]["b"] |= {"unreachable": 1}
    task = said["plays"][0]["tasks"][0]
    task["hosts"]["f"] = {"failed": True, "changed": False, "msg": "no space left"}
    found = counts(json.dumps(said))
    assert (found.failed, found.unreachable, found.broken) == (1, 1, 2)
    assert found.tasks[0] == f"f: {task['task']['name']}: no space left"


def test_a_run_that_broke_off_has_no_counts() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        counts("ERROR! the playbook could not be found\n")
