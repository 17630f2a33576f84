"""The role predictor: what it writes is what the predictor reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from agent.settings import AgentSettings
from predictor.settings import PredictorSettings
from telemetry.settings import SqliteSettings, load
from tests.ansible.rendering import ROOT, render


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
