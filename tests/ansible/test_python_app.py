"""The role python_app: its markers are those that the wheels are made with."""

from pathlib import Path

import pytest

from scripts import wheels
from tests.ansible.rendering import evaluate


def test_markers_are_those_of_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "predictor").mkdir()
    (tmp_path / "predictor" / "requirements.txt").write_text(wheels.requirements(["predictor"]))
    monkeypatch.setattr(wheels, "OUT", tmp_path)
    application = wheels.application_marker()
    given = {"python_app_wheels_path": str(tmp_path), "python_app_extras": ["predictor"]}

    assert evaluate("__python_app_dependencies", "python_app", **given) == wheels.dependencies_marker(["predictor"])
    assert evaluate("__python_app_application", "python_app", **given) == application
