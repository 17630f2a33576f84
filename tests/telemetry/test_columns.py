"""Points become columns and are found again; means count what was written last."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from telemetry import columns
from telemetry.columns import Batch, Samples
from telemetry.point import Point, Value
from telemetry.store import Grid

TAGS = {1: {"host": "a", "domain": "x"}, 2: {"host": "a", "domain": "y"}}
FIELDS = ["memory_ratio", "cpu_ratio"]


def domain(series: int, time_ns: int, **fields: Value) -> Point:
    return Point("domain", TAGS[series], fields, time_ns)


def batch(number: int, *rows: tuple[int, Point]) -> Batch:
    encoded = columns.encode([point for _, point in rows], [series for series, _ in rows])
    return replace(encoded, number=number)


def test_a_batch_holds_what_its_points_have_in_common_form() -> None:
    encoded = batch(1, (1, domain(1, 10, cpu_ratio=0.5, state="r")), (2, domain(2, 11, memory_ratio=0.25)))
    assert encoded.float_names == '["cpu_ratio", "memory_ratio"]'
    assert encoded.others == '{"state": ["r", null]}'
    np.testing.assert_array_equal(np.frombuffer(encoded.floats, "<f8"), [0.5, np.nan, np.nan, 0.25])
    assert (len(encoded.series), len(encoded.times)) == (2 * 4, 2 * 8)


def test_samples_of_batches_with_different_fields_stand_side_by_side() -> None:
    first = batch(7, (1, domain(1, 10, cpu_ratio=0.5)), (2, domain(2, 10, cpu_ratio=0.6)))
    second = batch(9, (2, domain(2, 11, memory_ratio=0.25, state="r")))
    samples = columns.samples([first, second], FIELDS)
    assert samples.series.tolist() == [1, 2, 2]
    assert samples.times.tolist() == [10, 10, 11]
    assert samples.batch.tolist() == [7, 7, 9]
    np.testing.assert_array_equal(samples.values, [[np.nan, 0.5], [np.nan, 0.6], [0.25, np.nan]])


def test_samples_of_no_batches_have_the_right_shape() -> None:
    assert columns.samples([], FIELDS).values.shape == (0, 2)


@pytest.mark.parametrize("newest", [False, True])
def test_points_are_put_together_in_the_order_of_writing(newest: bool) -> None:
    late = batch(2, (1, domain(1, 10, cpu_ratio=0.9)), (2, domain(2, 12, state="p")))
    early = batch(1, (1, domain(1, 10, cpu_ratio=0.1, state="r")), (2, domain(2, 11, cpu_ratio=0.2)))
    found = columns.points("domain", [late, early], TAGS, 10, 13, newest=newest)
    expected = [domain(1, 10, cpu_ratio=0.9, state="r"), domain(2, 12, state="p")]
    older = [] if newest else [domain(2, 11, cpu_ratio=0.2)]
    assert sorted(found, key=lambda point: point.time_ns) == [expected[0], *older, expected[1]]
    assert columns.points("domain", [late], {2: TAGS[2]}, 10, 12, newest=newest) == []


def samples_of(rows: Sequence[tuple[int, int, int, float]]) -> Samples:
    """Samples of one field from rows of series, time, batch, value."""
    series, times, batches, values = zip(*rows, strict=True)
    return Samples(
        np.array(series, np.int32), np.array(times), np.array(batches), np.array(values, np.float64)[:, np.newaxis]
    )


def test_means_take_the_last_known_value_of_a_repeated_point() -> None:
    given = samples_of([(1, 10, 2, 0.8), (1, 10, 1, 0.1), (1, 10, 3, np.nan), (1, 11, 1, 0.4), (0, 10, 1, 9.0)])
    means = columns.means(given, np.array([-1, 0]), Grid(10, 10, 2))
    np.testing.assert_allclose(means, [[[0.6]], [[np.nan]]], rtol=1e-12)


def test_means_of_a_row_are_of_all_its_series() -> None:
    given = samples_of([(0, 10, 1, 0.1), (0, 11, 1, 0.1), (1, 12, 1, 0.4), (2, 12, 1, 0.7)])
    means = columns.means(given, np.array([1, 1, 0]), Grid(10, 10, 1))
    np.testing.assert_allclose(means, [[[0.7], [0.2]]], rtol=1e-12)
