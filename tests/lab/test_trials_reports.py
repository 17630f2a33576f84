import pytest

from agent.reports import Applied, Checkpoint
from lab.trials.reports import Told, certain_ns, commits, offset_ns, phase, read

MS = 10**6
AHEAD = 5_000 * MS  # of this machine's clock before the host's


def line(at_ms: int, what: int | Checkpoint | Applied | None, way_ms: int = 1) -> Told:
    """Written at `at_ms` by the host's clock, here after `way_ms`."""
    return Told(at_ms * MS + AHEAD + way_ms * MS, at_ms * MS, what)


def checkpoint(interval_ms: float = 500, sequence: int = 1) -> Checkpoint:
    return Checkpoint(sequence, interval_ms, interval_ms + 200, pause_ms=150, send_ms=50)


TOLD = [
    line(0, None, 0),
    line(1000, checkpoint()),
    line(1700, checkpoint(), 90),
    line(1900, 2),
    line(1901, Applied(2, 25, 1)),
]


def here(at_ms: int) -> int:
    return at_ms * MS + AHEAD


def test_the_quickest_line_tells_how_far_clocks_are_apart() -> None:
    assert offset_ns(TOLD) == AHEAD


def test_checkpoints_are_placed_on_this_clock() -> None:
    first = commits(TOLD)[0]
    assert (first.stopped_ns, first.resumed_ns, first.committed_ns) == (here(800), here(950), here(1000))


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (999, "first copy"),
        (1001, "between"),
        (1499, "between"),
        (1501, "checkpoint"),
        (1899, "between"),
        (1950, "interval change"),
    ],
)
def test_phase_at_an_instant(at_ms: int, expected: str) -> None:
    assert phase(TOLD, here(at_ms)) == expected


def test_an_interval_has_changed_with_the_next_commit() -> None:
    after = [*TOLD, line(2000, checkpoint(25, 2))]
    assert phase(after, here(1999)) == "interval change"
    assert phase(after, here(2001)) == "between"


def test_without_any_report_it_is_the_first_copy() -> None:
    assert phase([], here(1)) == "first copy"
    assert phase([line(0, 1)], here(1)) == "first copy"


def test_certain_is_the_guest_at_a_checkpoint_before_those_unacknowledged() -> None:
    assert certain_ns(TOLD, 0) == here(1500 - 50)
    assert certain_ns(TOLD, 1) == here(800 - 50)
    assert certain_ns(TOLD, 2) == 0


def test_a_log_is_read_as_it_was_written() -> None:
    text = (
        '105 {"ns": 100, "listening": "/run/hefery/web1"}\n'
        '106 {"ns": 101, "ordered": 4}\n'
        '107 {"ns": 102, "report": '
        '{"version": 1, "kind": "applied", "sequence": 4, "interval_ms": 25, "latency_ms": 0.5}}\n'
    )
    assert read(text) == [Told(105, 100, None), Told(106, 101, 4), Told(107, 102, Applied(4, 25.0, 0.5))]
