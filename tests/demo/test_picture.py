from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from demo import picture
from demo.record import Curve, Record, load
from demo.timeline import Kind
from demo.verdict import judge
from tests.demo.capture import CAPTURE


@pytest.fixture
def record() -> Record:
    return load(CAPTURE)


def drawn(record: Record, path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    picture.draw(record, judge(record.samples, record.spans, record.protective_ms), path)
    return np.asarray(imread(path))[..., :3]


def share_of(colour: str, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    """Share of the pixels of this colour, `#rrggbb`."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float((np.abs(pixels - wanted) < 0.01).all(axis=-1).mean())


def test_the_interval_is_red_where_it_is_short_and_green_where_it_is_long(record: Record, tmp_path: Path) -> None:
    seen = drawn(record, tmp_path / "demo.png")
    short = np.mean([sample.interval_ms <= record.protective_ms for sample in record.samples])
    red, green = share_of("#c62828", seen), share_of("#2e7d32", seen)
    assert 0 < short < 1
    assert red > 0.0005
    assert green > 0.0005

    always_long = replace(record, samples=tuple(replace(sample, interval_ms=500) for sample in record.samples))
    assert share_of("#2e7d32", drawn(always_long, tmp_path / "long.png")) > 1.5 * green
    assert share_of("#c62828", drawn(always_long, tmp_path / "long.png")) < red


def test_a_demo_that_ended_early_is_drawn_too(record: Record, tmp_path: Path) -> None:
    last = {Kind.RAMP, Kind.PEAK, Kind.AFTER}
    ended = replace(
        record,
        spans=tuple(span for span in record.spans if span.kind not in last),
        curves=dict.fromkeys(record.curves, Curve((), ())),
        alarms=(),
    )
    assert drawn(ended, tmp_path / "demo.png").shape == drawn(record, tmp_path / "whole.png").shape
