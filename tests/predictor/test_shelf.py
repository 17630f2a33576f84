"""The model in use follows the folder, and never a file that cannot be used."""

from pathlib import Path

import pytest

from predictor import model_files
from predictor.model_files import Contents
from predictor.shelf import Shelf
from predictor.trained import Trained
from tests.predictor import site


@pytest.fixture(scope="module")
def default() -> Trained:
    return site.trained("default")


def test_takes_what_is_there_and_then_what_is_newer(default: Trained, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "default", default.step_ns)
    assert shelf.look() == f"no model in {tmp_path}; make one: hefery-predictor train"
    assert shelf.look() is None
    first = model_files.save(tmp_path, "default", site.at(0), default.contents())
    assert shelf.look() == f"model {first.name} is in use"
    held = shelf.model
    assert held is not None
    assert shelf.look() is None
    assert shelf.model is held
    model_files.save(tmp_path, "default", site.at(1), default.contents())
    assert shelf.look() is not None
    assert shelf.model is not held


@pytest.mark.parametrize("removed", [True, False])
def test_keeps_its_model_when_the_newest_cannot_be_used(default: Trained, tmp_path: Path, *, removed: bool) -> None:
    shelf = Shelf(tmp_path, "default", default.step_ns)
    good = model_files.save(tmp_path, "default", site.at(0), default.contents())
    shelf.look()
    held = shelf.model
    if removed:
        good.unlink()
        said = "no model in "
    else:
        model_files.save(tmp_path, "default", site.at(1), Contents({}, {}))
        said = "not a model that this version can use"
    assert said in (shelf.look() or "")
    assert shelf.look() is None
    assert shelf.model is held


def test_model_of_other_steps_is_refused(default: Trained, tmp_path: Path) -> None:
    model_files.save(tmp_path, "default", site.at(0), default.contents())
    shelf = Shelf(tmp_path, "default", 5 * 10**9)
    assert "made for steps of 1 s, but series.step_s is 5; train again" in (shelf.look() or "")
    assert shelf.model is None
