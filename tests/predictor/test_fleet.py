"""A fleet advances as each of its domains would alone, and says how well it has seen them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from predictor.fleet import SIGNALS, Fleet, last_seen_ns
from predictor.forecast import track
from predictor.series import Series, grid_between
from predictor.trained import Trained
from tests.predictor import site


@pytest.fixture(scope="module")
def default() -> Trained:
    return site.trained("default")


def series(start_s: int, **values: NDArray[np.float64]) -> Series:
    steps = len(next(iter(values.values())))
    grid = grid_between(site.at(start_s), site.at(start_s + steps), 10**9)
    return Series(grid, tuple(values), np.stack(list(values.values()), axis=1))


def test_step_by_step_or_at_once_it_is_what_the_model_says(default: Trained) -> None:
    web, db = site.leak(40, 8), site.calm(40, 9)
    expected = track(default.model, default.history, np.stack([db, web], axis=1))
    at_once = Fleet.begin(default, 5).advance(series(0, web=web, other=web, db=db))
    by_steps = Fleet.begin(default, 5)
    for second in range(40):
        by_steps = by_steps.advance(series(second, web=web[second : second + 1], db=db[second : second + 1]))
    for fleet in (at_once, by_steps):
        views = fleet.views({"web": site.at(40), "db": site.at(38), "other": site.at(40)}, site.at(41))
        assert set(views) == {"web", "db"}
        assert (views["web"].age_s, views["db"].age_s) == (1, 3)
        for column, domain in enumerate(default.domains):
            for name in SIGNALS:
                np.testing.assert_allclose(
                    views[domain].signals[name], getattr(expected, name)[-1, column], rtol=1e-9, atol=1e-12
                )


def test_coverage_counts_the_domains_own_metrics_over_the_last_steps(default: Trained) -> None:
    web, db = site.calm(10, 1), site.calm(10, 2)
    web[8:, 0] = np.nan
    db[:6] = np.nan
    views = Fleet.begin(default, 5).advance(series(0, web=web, db=db)).views({"web": 1, "db": 1}, site.at(10))
    assert views["web"].coverage == pytest.approx(18 / 20)
    assert views["db"].coverage == pytest.approx(16 / 20)


def test_nothing_seen_is_not_covered_and_nothing_known(default: Trained) -> None:
    assert Fleet.begin(default, 5).views({"web": 1}, site.at(0)) == {}
    fleet = Fleet.begin(default, 5).advance(series(0, web=np.full((1, 4), np.nan)))
    view = fleet.views({"web": site.at(0)}, site.at(1))["web"]
    assert view.coverage == 0
    assert all(np.isnan(value) for value in view.signals.values())


def test_last_seen_is_the_end_of_the_newest_step_with_anything() -> None:
    some = np.full((4, 4), np.nan)
    some[1, 2] = 0.0
    seen = last_seen_ns(series(0, gone=np.full((4, 4), np.nan), some=some, all=np.zeros((4, 4))))
    assert seen == {"some": site.at(2), "all": site.at(4)}
