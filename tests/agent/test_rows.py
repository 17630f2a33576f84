import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rows import RowError, decode, encode
from telemetry.point import Point

NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\\"), min_size=1)


@given(NAMES, st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=50), st.integers(1, 2**62))
def test_a_point_comes_back_as_it_was(name: str, ratio: float, state: str, time_ns: int) -> None:
    point = Point("domain", {"host": "a", "domain": name}, {"cpu_ratio": ratio, "state": state}, time_ns)
    back = decode(encode(point))
    assert back == point
    assert math.copysign(1, float(back.fields["cpu_ratio"])) == math.copysign(1, ratio)
    assert encode(point).isascii()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"measurement": "gone", "tags": {"host": "a"}, "fields": {"cpu_ratio": 0.5}, "time_ns": 1}',
        '{"measurement": "host", "tags": {"host": "a"}, "fields": {"cpu_ratio": NaN}, "time_ns": 1}',
        '{"measurement": "host", "tags": ["host"], "fields": {"cpu_ratio": 0.5}, "time_ns": 1}',
        '{"measurement": "host", "tags": {"host": "a"}, "fields": {"cpu_ratio": 0.5}, "time_ns": "1"}',
        '{"measurement": "host", "tags": {"host": 5}, "fields": {"cpu_ratio": 0.5}, "time_ns": 1}',
        '{"measurement": {}, "tags": {"host": "a"}, "fields": {"cpu_ratio": 0.5}, "time_ns": 1}',
    ],
)
def test_a_row_of_another_version_is_refused_in_words(body: str) -> None:
    with pytest.raises(RowError, match="this version knows"):
        decode(body)
