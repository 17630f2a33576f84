"""A model's way through a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from predictor import model_files, trained
from predictor.calibration import Calibration
from predictor.forecast import track
from predictor.model import Mode
from predictor.model_files import Contents, ModelFileError
from predictor.trained import Trained
from tests.predictor import site


@pytest.fixture(scope="module")
def default() -> Trained:
    return site.trained("default")


@pytest.mark.parametrize("mode", ["default", "paper"])
def test_forecasts_as_before(mode: Mode, tmp_path: Path) -> None:
    before = site.trained(mode)
    before = replace(before, model=replace(before.model, calibration=Calibration(0.6, -1.0)))
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
