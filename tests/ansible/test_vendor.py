"""The role vendor: what a file of the controller is installed as."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from tests.ansible.plugins import ROLES
from tests.ansible.rendering import evaluate, told

TASKS = {task["name"]: task for task in yaml.safe_load((ROLES / "vendor" / "tasks" / "file.yml").read_text())}


@pytest.mark.parametrize(
    ("path", "is_archive"),
    [("/srv/influxd", False), ("/srv/apache-jmeter-5.6.3.tgz", True), ("/srv/grafana_13.2.2.tar.gz", True)],
)
def test_an_archive_is_known_by_its_name(path: str, is_archive: bool) -> None:
    """As makers call it; another one would be taken for a program."""
    conditions = [TASKS[name]["when"] for name in ("Copy the program", "Install from an archive of the controller")]
    found = [evaluate(condition, "vendor", vendor_file_path=path) for condition in conditions]
    assert found == [not is_archive, is_archive]


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("/srv/influxd-2.9.2", "/usr/local/bin/influxd"),
        ("/srv/influxdb2-2.9.2_linux_amd64.tar.gz", "/opt/hefery/influxdb/usr/bin/influxd"),
    ],
)
def test_the_unit_runs_what_was_installed_whatever_the_file_is_called(path: str, runs: str) -> None:
    given: dict[str, Any] = {"influxdb_binary_path": path, "influxdb_source": "file"}
    assert told("{{ __influxdb_program }}", "lab", "m", "influxdb", **given) == runs
    installed = yaml.safe_load((ROLES / "influxdb" / "tasks" / "install.yml").read_text())
    (name,) = (
        task["vars"]["vendor_program_name"] for task in installed if "vendor_program_name" in task.get("vars", {})
    )
    copied = TASKS["Copy the program"]["ansible.builtin.copy"]["dest"]
    bare = told("{{ __influxdb_bare_program }}", "lab", "m", "influxdb", **given)
    named = told(name, "lab", "m", "influxdb", **given)
    assert told(copied, "lab", "m", "vendor", vendor_program_name=named) == bare
