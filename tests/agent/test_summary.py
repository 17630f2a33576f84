import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jtl import Answer
from agent.responses import answers_of
from agent.summary import NothingLeft, summary
from tests.agent.jmeter import ANSWERS, ERRORS, RUN, rows

T = 1_700_000_000_000


@pytest.mark.parametrize("skip_ms", [0, 1, 5000])
def test_a_run_of_jmeter_against_numpy(skip_ms: int) -> None:
    """From JMeter's rows, by another way."""
    starts = np.array([int(row["timeStamp"]) for row in rows()])
    times = np.array([int(row["elapsed"]) for row in rows()])
    kept = starts >= starts.min() + skip_ms
    good = kept & np.array([row["success"] == "true" for row in rows()])
    ends = np.sort((starts + times)[good])

    found = summary(answers_of(RUN), skip_ms)

    assert (found.count, found.errors) == (kept.sum(), kept.sum() - good.sum())
    assert (skip_ms > 0) or ((found.count, found.errors) == (ANSWERS, ERRORS))
    assert [found.times_ms[name] for name in ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")] == pytest.approx(
        [times[good].mean(), *np.percentile(times[good], [50, 95, 99]), times[good].max()], rel=1e-12
    )
    assert (found.begin_ms, found.end_ms) == (starts.min() + skip_ms, (starts + times)[kept].max())
    assert found.gap_ms == np.diff([found.begin_ms, *ends, found.end_ms]).max()


@given(
    st.lists(
        st.builds(Answer, st.just("x"), st.integers(T, T + 300), st.integers(0, 200), good=st.booleans()), min_size=1
    ),
    st.integers(0, 400),
)
def test_the_gap_is_the_longest_time_without_a_good_answer(answers: list[Answer], skip_ms: int) -> None:
    """Counted millisecond by millisecond."""
    begin = min(answer.end_ms - answer.elapsed_ms for answer in answers) + skip_ms
    kept = [answer for answer in answers if answer.end_ms - answer.elapsed_ms >= begin]
    if not kept:
        with pytest.raises(NothingLeft, match="no answer is left"):
            summary(answers, skip_ms)
        return
    silent, longest = 0, 0
    for moment in range(begin, max(answer.end_ms for answer in kept)):
        silent = 0 if any(answer.good and answer.end_ms == moment for answer in kept) else silent
        silent += 1
        longest = max(longest, silent)
    assert summary(answers, skip_ms).gap_ms == longest


def test_errors_alone_have_no_times() -> None:
    found = summary([Answer("x", T + 5, 5, good=False), Answer("x", T + 90, 5, good=False)], 0)
    assert (found.count, found.errors, found.times_ms, found.gap_ms) == (2, 2, {}, 90)


def test_a_file_without_answers_says_so() -> None:
    with pytest.raises(NothingLeft, match=r"no answer is left of 0 s after a warm-up of 1\.5 s"):
        summary([], 1500)
