import tomllib
from pathlib import Path

import jinja2
import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

from lab.trials import loop

ROLE = Path(__file__).parents[2] / "roles" / "predictor"


def shipped() -> str:
    """predictor.toml as the role writes it."""
    values = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    template = jinja2.Environment(undefined=jinja2.ChainableUndefined, autoescape=False)
    template.filters["to_json"] = str
    return template.from_string((ROLE / "templates" / "predictor.toml.j2").read_text()).render(values)


def test_the_quick_pace_takes_the_place_of_the_roles() -> None:
    quick = loop.quick(shipped())
    said = tomllib.loads(quick[quick.index("[training]") :])
    assert said["training"]["min_steps"] == 40
    assert said["policy"]["calm_ms"] == loop.CALM_MS
    assert said["service"]["valid_for_s"] == loop.VALID_FOR_S
    assert "protective_ms = 25.0" in quick  # and all else stays


def test_a_template_that_has_lost_a_key_is_noticed() -> None:
    with pytest.raises(ValueError, match="has no dwell_s"):
        loop.quick(shipped().replace("dwell_s", "wait_s"))
