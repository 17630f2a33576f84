import pytest

from agent.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(1.0, 30.0, chance=lambda: 1.0)
    assert [backoff.delay_s(n) for n in (1, 2, 3, 5, 6, 7, 10_000)] == [1, 2, 4, 16, 30, 30, 30]


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_chance_shortens_a_wait_by_up_to_half(chance: float, seconds: float) -> None:
    assert Backoff(1.0, 30.0, chance=lambda: chance).delay_s(3) == seconds
