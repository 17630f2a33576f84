import pytest

from agent.reports import Applied, Checkpoint
from lab.trials.changes import applied_ms, rates, shorten_ms
from lab.trials.reports import Told

MS = 10**6


def told(at_ms: float, what: int | Checkpoint | Applied) -> Told:
    return Told(0, int(at_ms * MS), what)


def checkpoint(interval_ms: float, pause_ms: float = 100, send_ms: float = 20) -> Checkpoint:
    return Checkpoint(1, interval_ms, interval_ms + pause_ms + send_ms, pause_ms, send_ms)


def test_shortening_ends_where_the_next_checkpoint_begins() -> None:
    lines = [told(0, checkpoint(500)), told(200, 7), told(201, Applied(7, 25, 1)), told(360, checkpoint(25))]
    assert shorten_ms(lines, 7) == 40  # begun at 240
    assert applied_ms(lines, 7) == 1


def test_a_checkpoint_under_way_is_not_the_next() -> None:
    lines = [told(200, 7), told(300, checkpoint(500)), told(450, checkpoint(25))]  # begun at 180 and 330
    assert shorten_ms(lines, 7) == 130


def test_what_was_not_seen_is_not_known() -> None:
    assert shorten_ms([told(200, 7)], 7) is None
    assert shorten_ms([told(200, checkpoint(25))], 7) is None
    assert applied_ms([told(200, 7), told(300, Applied(6, 25, 1))], 7) is None


def test_rates_are_of_the_commits_at_that_interval_after_the_first() -> None:
    lines = [
        told(0, checkpoint(25, 5, 5)),
        *(told(i, checkpoint(500, pause)) for i, pause in enumerate((900, 100, 120, 80))),
    ]
    found = rates(lines, 500)
    assert found is not None
    assert (found.period_ms, found.pause_ms) == (620, 100)
    assert found.rate_per_s == pytest.approx(1000 / 620, rel=1e-9)
    assert rates(lines, 25) is None
