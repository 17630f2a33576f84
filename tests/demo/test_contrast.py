import math

import pytest

from demo.contrast import contrast
from predictor.trained import Trained
from telemetry.point import Point
from tests.demo.calm import trained_on_calm


@pytest.fixture
def model() -> Trained:
    return trained_on_calm()


def point(second: int, **fields: float) -> Point:
    return Point("domain", {"host": "h", "domain": "local"}, fields, 10**18 + second * 10**9)


def test_the_metric_that_rose_most_counts(model: Trained) -> None:
    points = [point(0, cpu_ratio=0.6, memory_ratio=0.31), point(1, cpu_ratio=0.8, memory_ratio=0.33)]
    assert contrast(model, "local", points) == pytest.approx((0.7 - 0.2) / 0.1)
    assert contrast(model, "local", [point(0, cpu_ratio=0.1, memory_ratio=0.31)]) == pytest.approx(1.0)


def test_what_was_not_measured_does_not_count(model: Trained) -> None:
    assert contrast(model, "local", [point(0, memory_ratio=0.32), point(1, disk_ops_per_s=1e6)]) == pytest.approx(2.0)


def test_nothing_measured_is_not_visible(model: Trained) -> None:
    assert math.isnan(contrast(model, "local", []))
    assert not contrast(model, "local", [point(0, disk_ops_per_s=1.0)]) >= 3
