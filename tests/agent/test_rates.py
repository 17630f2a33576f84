import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rates import Rates

COUNTER = st.integers(min_value=0, max_value=2**64 - 1)
READING = st.tuples(
    st.floats(min_value=0, max_value=1e9), st.dictionaries(st.sampled_from(["cpu", "network", "disk"]), COUNTER)
)


def test_steps_per_second() -> None:
    rates = Rates()
    assert rates.step(10.0, {"network": 1_000, "disk": 7}) == {}
    assert rates.step(12.5, {"network": 3_500, "disk": 7}) == {"network": 1_000.0, "disk": 0.0}


def test_one_counter_going_backwards_makes_all_unknown_for_that_step_only() -> None:
    rates = Rates()
    rates.step(0.0, {"cpu": 50, "network": 100})
    assert rates.step(1.0, {"cpu": 0, "network": 900}) == {}
    assert rates.step(2.0, {"cpu": 1, "network": 910}) == {"cpu": 1.0, "network": 10.0}


def test_a_counter_that_was_unreadable_or_new_is_unknown_alone() -> None:
    rates = Rates()
    rates.step(0.0, {"cpu": 1, "disk": 5})
    assert rates.step(1.0, {"cpu": 2}) == {"cpu": 1.0}
    assert rates.step(2.0, {"cpu": 3, "disk": 9}) == {"cpu": 1.0}
    assert rates.step(3.0, {"cpu": 4, "disk": 10}) == {"cpu": 1.0, "disk": 1.0}


@pytest.mark.parametrize("elapsed_s", [0.0, -1.0, 0.5, math.nan], ids=["none", "back", "too short", "unknown"])
def test_a_step_without_time_to_speak_of_is_unknown(elapsed_s: float) -> None:
    rates = Rates(shortest_s=0.5)
    rates.step(10.0, {"network": 0})
    assert rates.step(10.0 + elapsed_s, {"network": 1_000_000}) == {}


@given(st.lists(READING, min_size=2), st.sampled_from([0.0, 0.5]))
def test_never_negative_nor_infinite_nor_nan_whatever_is_read(
    readings: list[tuple[float, dict[str, int]]], shortest_s: float
) -> None:
    rates = Rates(shortest_s=shortest_s)
    for now_s, counters in readings:
        for rate in rates.step(now_s, counters).values():
            assert 0.0 <= rate < math.inf


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 2**40)), min_size=1))
def test_rates_of_a_counter_that_only_grows_add_up_to_what_it_grew(steps: list[tuple[int, int]]) -> None:
    rates, now_s, counter = Rates(), 0, 2**50
    rates.step(now_s, {"network": counter})
    for elapsed_s, grown in steps:
        now_s, counter = now_s + elapsed_s, counter + grown
        assert rates.step(now_s, {"network": counter})["network"] == grown / elapsed_s
