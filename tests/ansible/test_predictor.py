"""The role predictor: what it writes is what the predictor reads."""

import fcntl
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from agent.settings import AgentSettings
from predictor.settings import PredictorSettings
from telemetry.settings import SqliteSettings, load
from tests.ansible.rendering import ROOT, evaluate, render


def settings(tmp_path: Path, inventory: str, **more: Any) -> PredictorSettings:
    path = tmp_path / "predictor.toml"
    path.write_text(render(inventory, "m", "predictor", "predictor.toml.j2", **more))
    return load(path, PredictorSettings)


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_configuration_is_accepted(inventory: str, tmp_path: Path) -> None:
    assert settings(tmp_path, inventory).store.kind == "influxdb"


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_a_step_holds_samples_enough_for_coverage(inventory: str, tmp_path: Path) -> None:
    """A step without a sample is a gap, and too many of them are doubt for ever."""
    path = tmp_path / "agent.toml"
    path.write_text(render(inventory, "a", "agent", "agent.toml.j2"))

    assert settings(tmp_path, inventory).series.step_s >= 2 * load(path, AgentSettings).xen.period_s


def test_defaults_are_the_programs_own(tmp_path: Path) -> None:
    found = settings(tmp_path, "production").model_dump(exclude={"store"})

    store = SqliteSettings(kind="sqlite", path=tmp_path)
    assert found == PredictorSettings(store=store).model_dump(exclude={"store"})


def test_every_variable_arrives(tmp_path: Path) -> None:
    """A number that is changed in the variable is changed in the settings."""
    defaults = yaml.safe_load((ROOT / "roles" / "predictor" / "defaults" / "main.yml").read_text())
    numbers = {name: value for name, value in defaults.items() if isinstance(value, int | float)}
    assert len(numbers) > 10
    changed = {name: value * 0.9 if isinstance(value, float) else value + 10 for name, value in numbers.items()}

    found = settings(tmp_path, "production", **changed, predictor_series_domains=["web"]).model_dump()

    for name, value in changed.items():
        section, key = name.removeprefix("predictor_").split("_", 1)
        assert found[section][key] == value, name
    assert found["series"]["domains"] == ("web",)


def cron(tmp_path: Path, **more: Any) -> str:
    """What cron is told, with its paths in a folder of the test's own."""
    told = render("lab", "m", "predictor", "training.cron.j2", __predictor_log=str(tmp_path / "log"), **more)
    return told.replace("/var/lib/hefery/models/.training.lock", str(tmp_path / "lock"))


def test_cron_trains_as_the_predictors_user_at_night(tmp_path: Path) -> None:
    *_, line = cron(tmp_path).splitlines()
    assert line.startswith("17 3 * * * hefery (")
    assert "%" not in line  # cron would make it the end of a line
    assert cron(tmp_path, predictor_training_schedule="@weekly").splitlines()[-1].startswith("@weekly hefery (")


@pytest.mark.parametrize("busy", [False, True])
def test_one_training_at_a_time_and_what_came_of_it_is_in_the_log(tmp_path: Path, busy: bool) -> None:
    program = tmp_path / "hefery-predictor"
    program.write_text('#!/bin/sh\necho "asked to $*"; exit 1\n')
    program.chmod(0o755)
    command = cron(tmp_path).splitlines()[-1].split(" hefery ", 1)[1]
    with (tmp_path / "lock").open("w") as lock:
        if busy:
            fcntl.flock(lock, fcntl.LOCK_EX)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        ran = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, check=False)
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"", b"", 1)
    said = (tmp_path / "log").read_text()
    assert re.match(r"20\d\d-\d\d-\d\dT", said)
    assert ("asked to train" in said) is not busy


@pytest.mark.parametrize("schedule", ["*-*-* 03:17:00", "17 3 * *", "17 3 * * * *", ""])
def test_a_time_that_cron_does_not_know_is_refused(schedule: str) -> None:
    (task,) = (
        task
        for task in yaml.safe_load((ROOT / "roles" / "predictor" / "tasks" / "training.yml").read_text())
        if "ansible.builtin.assert" in task
    )
    condition = task["ansible.builtin.assert"]["that"]
    assert evaluate(condition, "predictor", predictor_training_schedule="@daily")
    assert evaluate(condition, "predictor", predictor_training_schedule="*/5 1-3 * * mon,tue")
    assert not evaluate(condition, "predictor", predictor_training_schedule=schedule)
