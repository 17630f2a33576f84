"""What a whole run of a load came to: in, its answers; out, one `Summary` of those after the warm-up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.jtl import Answer
from agent.windows import spread


class NothingLeft(ValueError):
    """No answer is left after the warm-up; the text says how long the run was."""


@dataclass(frozen=True)
class Summary:
    """Answers between two moments; `times_ms` (mean, percentiles, longest) is empty where all were errors."""

    begin_ms: int
    end_ms: int
    count: int
    errors: int
    times_ms: dict[str, float]
    gap_ms: int
    """Longest time without an answer that was none of the errors, from the beginning to the last answer's end."""


def summary(answers: Iterable[Answer], skip_ms: int) -> Summary:
    """Sum up the requests that were made `skip_ms` after the first one, or later; raises NothingLeft."""
    everything = list(answers)
    first_ms = min((answer.end_ms - answer.elapsed_ms for answer in everything), default=0)
    begin_ms = first_ms + skip_ms
    kept = [answer for answer in everything if answer.end_ms - answer.elapsed_ms >= begin_ms]
    if not kept:
        lasted_ms = max((answer.end_ms for answer in everything), default=first_ms) - first_ms
        raise NothingLeft(f"no answer is left of {lasted_ms / 1000:g} s after a warm-up of {skip_ms / 1000:g} s")
    end_ms = max(answer.end_ms for answer in kept)
    good = [answer for answer in kept if answer.good]
    return Summary(
        begin_ms,
        end_ms,
        count=len(kept),
        errors=len(kept) - len(good),
        times_ms=spread([answer.elapsed_ms for answer in good]) if good else {},
        gap_ms=_longest_gap_ms([begin_ms, *sorted(answer.end_ms for answer in good), end_ms]),
    )


def _longest_gap_ms(moments_ms: Sequence[int]) -> int:
    return max(after - before for before, after in pairwise(moments_ms))
