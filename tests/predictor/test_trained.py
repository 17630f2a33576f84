"""A model's way through a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from predictor import model_files, trained
from predictor.forecast import track
from predictor.learning import Lesson, learn
from predictor.model import Mode, Recipe
from predictor.model_files import Contents, ModelFileError
from predictor.series import METRICS
from predictor.symbols import learn_history
from predictor.trained import Trained
from tests.predictor import site


def made(mode: Mode) -> Trained:
    values = np.stack([site.calm(200, 1), np.concatenate([site.calm(140, 2), site.leak(60, 3)])], axis=1)
    health = np.zeros((200, 2), dtype=np.intp)
    health[140:, 1] = np.repeat([1, 2], [50, 10])
    history = learn_history(values[:140])
    model = learn([Lesson(values, history, health)], METRICS, Recipe(mode=mode, restarts=2), rng=4)
    return Trained(model, ("db", "web"), history, 10**9, site.at(0), site.at(200))


@pytest.fixture(scope="module")
def default() -> Trained:
    return made("default")


@pytest.mark.parametrize("mode", ["default", "paper"])
def test_forecasts_as_before(mode: Mode, tmp_path: Path) -> None:
    before = made(mode)
    after = trained.load(model_files.save(tmp_path, mode, site.START_NS, before.contents()))
    values = np.stack([site.leak(50, 8), site.calm(50, 9)], axis=1)
    old, new = (track(one.model, one.history, values) for one in (before, after))
    np.testing.assert_array_equal(new.evidence, old.evidence)
    np.testing.assert_array_equal(new.p_failed_within, old.p_failed_within)
    assert after.model.chains.recipe == before.model.chains.recipe
    assert replace(after, model=before.model, history=before.history) == before


def changed(contents: Contents, **meta: object) -> Contents:
    return Contents(contents.arrays, {**contents.meta, **meta})


def test_what_this_version_cannot_use_is_refused(default: Trained, tmp_path: Path) -> None:
    contents = default.contents()
    without_start = {name: array for name, array in contents.arrays.items() if name != "start"}
    wrong = [
        Contents({**contents.arrays, "health_of_state": np.zeros(9, dtype=np.intp)}, contents.meta),
        Contents(without_start, contents.meta),
        changed(contents, recipe={"mode": "other"}),
        changed(contents, domains=["web"]),
        Contents({**contents.arrays, "start": contents.arrays["start"] * 2}, contents.meta),
    ]
    for second, one in enumerate(wrong):
        path = model_files.save(tmp_path, "default", site.at(second), one)
        with pytest.raises(ModelFileError, match=r"not a model that this version can use \(.*\); train again"):
            trained.load(path)
