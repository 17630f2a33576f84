from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.gate import Evidence, Verdict, decide
from failover.pulse import Pulse

S = 10**9
NOW = 100 * S
TIMEOUT_S = 1.0
ALIVE = Pulse(NOW - S // 10, 50 * S, NOW - S // 10, 0)
SILENT = replace(ALIVE, heard_ns=NOW - 2 * S)
CALM = Evidence(NOW, True, NOW - 2 * S, None, ALIVE, False, False)


def verdict(evidence: Evidence) -> Verdict:
    return decide(evidence, TIMEOUT_S).verdict


def test_a_silent_host_is_taken_over_whether_the_stream_has_ended_or_not() -> None:
    assert verdict(replace(CALM, pulse=SILENT)) is Verdict.TAKE_OVER
    assert verdict(replace(CALM, pulse=SILENT, stream_ended_ns=NOW - S)) is Verdict.TAKE_OVER


def test_a_stream_that_ends_on_a_living_host_is_no_failure() -> None:
    ended = replace(CALM, stream_ended_ns=NOW - S // 2)
    assert verdict(ended) is Verdict.GIVE_UP
    assert verdict(replace(ended, is_handed_over=True)) is Verdict.WAIT
    assert verdict(replace(ended, is_handed_over=True, pulse=SILENT)) is Verdict.TAKE_OVER


def test_just_after_the_end_nothing_is_known() -> None:
    assert verdict(replace(CALM, stream_ended_ns=NOW - S // 100)) is Verdict.WAIT


def test_a_part_of_a_copy_never_runs() -> None:
    part = replace(CALM, is_complete=False, pulse=SILENT, is_ordered=True)
    assert verdict(part) is Verdict.WAIT
    assert verdict(replace(part, stream_ended_ns=NOW)) is Verdict.GIVE_UP


def test_an_order_needs_no_heartbeat() -> None:
    assert verdict(replace(CALM, is_ordered=True, pulse=None)) is Verdict.TAKE_OVER


@pytest.mark.parametrize(
    "pulse",
    [
        None,
        replace(SILENT, tick_ns=NOW - S // 2),  # the daemon is dead, or stands still
        replace(SILENT, tick_ns=NOW + S),  # of another boot
        replace(SILENT, listening_since_ns=NOW - S // 2),  # it has only just woken
        replace(SILENT, heard_ns=0),  # the heartbeat's way has never worked
        replace(SILENT, answered_ns=NOW - S // 2),  # its daemon is dead, its kernel is not
        replace(SILENT, heard_ns=NOW - S + 1),
    ],
)
def test_doubt_waits(pulse: Pulse | None) -> None:
    assert verdict(replace(CALM, pulse=pulse)) is Verdict.WAIT


def test_bytes_of_the_stream_are_a_sign_of_life() -> None:
    assert verdict(replace(CALM, pulse=SILENT, stream_heard_ns=NOW - S // 2)) is Verdict.WAIT


times = st.integers(0, NOW)


@given(
    pulse=st.builds(Pulse, times, times, times, times),
    heard=times,
    ended=st.none() | times,
    complete=st.booleans(),
    announced=st.booleans(),
)
def test_never_while_the_primary_has_lately_lived(
    pulse: Pulse, heard: int, ended: int | None, complete: bool, announced: bool
) -> None:
    evidence = Evidence(NOW, complete, heard, ended, pulse, announced, False)
    if verdict(evidence) is Verdict.TAKE_OVER:
        assert complete
        assert NOW - max(pulse.heard_ns, pulse.answered_ns, heard) >= TIMEOUT_S * S
        assert NOW - pulse.tick_ns < S // 2
