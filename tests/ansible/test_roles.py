"""All roles: inputs are documented, their defaults are the documented ones."""

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

ROLES = sorted(path.parents[1] for path in (Path(__file__).parents[2] / "roles").glob("*/tasks/main.yml"))


def options(role: Path) -> dict[str, dict[str, Any]]:
    """Inputs of all of a role's entry points."""
    entries = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"].values()
    return {name: option for entry in entries for name, option in entry.get("options", {}).items()}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_those_documented(role: Path) -> None:
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text()) or {}
    documented = {name: option["default"] for name, option in options(role).items() if "default" in option}
    computed = {name for name, value in defaults.items() if "{{" in str(value)}
    assert computed <= set(options(role))
    assert {name: defaults[name] for name in defaults.keys() - computed} == {
        name: documented[name] for name in documented.keys() - computed
    }


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_input_bears_the_roles_name_and_is_described(role: Path) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role.name}_")
        assert option["description"]
