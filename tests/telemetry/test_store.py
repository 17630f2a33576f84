"""The grid of windows, and the names that stores are asked for."""

import pytest

from telemetry.store import Grid, StoreError, StoreUnavailable, check_names


def test_a_grid_ends_after_its_last_step() -> None:
    assert Grid(40, 20, 3).stop_ns == 100
    assert Grid(40, 20, 0).stop_ns == 40


@pytest.mark.parametrize("grid", [(10, 20, 3), (0, 0, 3), (0, -1, 3), (0, 20, -1), (-20, 20, 3)])
def test_a_grid_lies_on_multiples_of_its_step(grid: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="start must be a multiple of the step"):
        Grid(*grid)


def test_checks_names_against_the_schema() -> None:
    check_names("domain", tags=["host"], fields=["cpu_ratio"])
    check_names("agent", tags=[], fields=["sent"])
    with pytest.raises(ValueError, match="checkpoint has no numeric field 'protected'; it has interval_ms"):
        check_names("checkpoint", tags=[], fields=["protected"])


def test_an_unavailable_store_may_say_when_to_come_back() -> None:
    error: StoreError = StoreUnavailable("busy", retry_after_s=3.0)
    assert isinstance(error, StoreUnavailable)
    assert (str(error), error.retry_after_s) == ("busy", 3.0)
    assert StoreUnavailable("down").retry_after_s is None
