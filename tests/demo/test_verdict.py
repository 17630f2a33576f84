from collections.abc import Iterable

import pytest

from demo.record import Sample, Span
from demo.timeline import Kind
from demo.verdict import Run, judge, short_runs

S = 10**9
PROTECTIVE, CALM = 25, 500
SPANS = (
    Span(Kind.LEARNING, 0, 60 * S),
    Span(Kind.QUIET, 60 * S, 100 * S),
    Span(Kind.RAMP, 100 * S, 140 * S),
    Span(Kind.PEAK, 140 * S, 150 * S),
    Span(Kind.AFTER, 150 * S, 190 * S),
)


def samples(*changes: tuple[int, int]) -> list[Sample]:
    """A sample a second, 25 ms from the start on, and from each of the `changes` (second, ms) on what it says."""
    interval_of = dict(changes)
    made, interval_ms = [], PROTECTIVE
    for second in range(190):
        interval_ms = interval_of.get(second, interval_ms)
        made.append(Sample(second * S, interval_ms))
    return made


def faults(seen: Iterable[Sample]) -> str:
    return "; ".join(judge(list(seen), SPANS, PROTECTIVE).faults)


def test_shortened_before_the_peak_and_lengthened_after_it() -> None:
    verdict = judge(samples((70, CALM), (106, PROTECTIVE), (171, CALM)), SPANS, PROTECTIVE)
    assert verdict.faults == ()
    assert (verdict.shortened_ns, verdict.lengthened_ns) == (106 * S, 171 * S)
    assert verdict.false_alarms == ()


def test_never_shortened() -> None:
    found = faults(samples((70, CALM)))
    assert "not shortened before the peak" in found
    assert "long during the peak" in found


@pytest.mark.parametrize("second", [140, 145, 150])
def test_shortened_only_at_the_peak_or_later(second: int) -> None:
    assert "not shortened before the peak" in faults(samples((70, CALM), (second, PROTECTIVE), (171, CALM)))


def test_let_go_before_the_peak() -> None:
    found = faults(samples((70, CALM), (106, PROTECTIVE), (130, CALM), (141, PROTECTIVE), (171, CALM)))
    assert "not shortened before the peak" in found


def test_let_go_during_the_peak() -> None:
    found = faults(samples((70, CALM), (106, PROTECTIVE), (148, CALM), (149, PROTECTIVE), (171, CALM)))
    assert found == "the interval was long during the peak"


def test_let_go_and_taken_up_again_before_the_peak() -> None:
    seen = samples((70, CALM), (106, PROTECTIVE), (115, CALM), (120, PROTECTIVE), (171, CALM))
    verdict = judge(seen, SPANS, PROTECTIVE)
    assert verdict.faults == ()
    assert verdict.shortened_ns == 120 * S
    assert verdict.let_go == (Run(106 * S, 115 * S),)


def test_never_lengthened_again() -> None:
    assert faults(samples((70, CALM), (106, PROTECTIVE))) == (
        "the interval was not lengthened after the second disturbance"
    )


def test_short_since_before_the_disturbance() -> None:
    found = faults(samples((70, CALM), (90, PROTECTIVE), (171, CALM)))
    assert "short already when the second disturbance began" in found
    assert "not shortened before the peak" in found


def test_never_long_before_the_disturbance() -> None:
    assert "short already when the second disturbance began" in faults(samples((171, CALM)))


def test_a_false_alarm_that_ended_in_time_is_told() -> None:
    seen = samples((70, CALM), (80, PROTECTIVE), (88, CALM), (106, PROTECTIVE), (171, CALM), (180, PROTECTIVE))
    verdict = judge(seen, SPANS, PROTECTIVE)
    assert verdict.faults == ()
    assert verdict.false_alarms == (Run(80 * S, 88 * S), Run(180 * S, None))


def test_a_phase_that_was_not_sampled() -> None:
    seen = [s for s in samples((70, CALM), (106, PROTECTIVE), (171, CALM)) if not 140 * S <= s.time_ns < 150 * S]
    assert faults(seen) == "the interval was not sampled in every phase"


def test_no_second_disturbance() -> None:
    verdict = judge(samples()[:100], SPANS[:2], PROTECTIVE)
    assert len(verdict.faults) == 1
    assert "too busy to learn what calm is" in verdict.faults[0]


def test_runs_end_where_anything_longer_is_seen() -> None:
    seen = [Sample(t, ms) for t, ms in ((1, 25), (2, 20), (3, 26), (4, 500), (5, 25))]
    assert short_runs(seen, 25) == [Run(1, 3), Run(5, None)]
    assert short_runs([], 25) == []
