"""Instants as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.times import instant_ns, text_of
from telemetry.units import NS_PER_S

NOW_NS = 1_738_329_000 * NS_PER_S + 250_000_000  # 2025-01-31T13:10:00.25Z


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("now", 0.25),
        ("90s", -89.75),
        ("2h", -7199.75),
        ("1d", -86399.75),
        ("2025-01-31T13:10:00Z", 0),
        ("2025-01-31T15:10:00+02:00", 0),
        ("2025-01-31 13:10:01.5+00:00", 1.5),
    ],
)
def test_instants(text: str, expected_s: float) -> None:
    assert instant_ns(text, NOW_NS) == 1_738_329_000 * NS_PER_S + int(expected_s * NS_PER_S)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "is no time; write now, 90m"),
        ("90", "is no time"),
        ("2025-01-31T13:10:00", "does not say in which zone"),
        ("9999999w", "does not lie between 1970 and 2262"),
        ("9999-12-31T23:59:59-14:00", "does not lie between 1970 and 2262"),
    ],
)
def test_what_is_no_instant_says_how_to_write_one(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        instant_ns(text, NOW_NS)


def test_text_of_is_utc() -> None:
    assert text_of(NOW_NS) == "2025-01-31T13:10:00Z"
    assert text_of(NOW_NS, "milliseconds") == "2025-01-31T13:10:00.250Z"


@given(seconds=st.integers(1, 2**33))
def test_text_of_reads_back(seconds: int) -> None:
    assert instant_ns(text_of(seconds * NS_PER_S), NOW_NS) == seconds * NS_PER_S
