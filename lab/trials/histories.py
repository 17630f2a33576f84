"""One guest or two: in, when each host was heard, or wrote; out, for how long two of them did side by side."""

from collections.abc import Sequence
from itertools import pairwise

from lab.trials.sightings import Answer, Frame, Write, ticks
from telemetry.units import NS_PER_S

Seen = Frame | Write
"""From a host, at an instant."""


def overlap_s(seen: Sequence[Seen]) -> float:
    """From the first sight of the host that came last to the last one of any other; 0 where each was over by then.

    The guest moves once in a trial at most: nobody has a copy for it to come back.
    """
    firsts = {host: min(s.time_ns for s in seen if s.host == host) for host in {s.host for s in seen}}
    if len(firsts) < 2:
        return 0.0
    last = max(firsts, key=lambda host: firsts[host])
    until_ns = max(s.time_ns for s in seen if s.host != last)
    return max(0.0, (until_ns - firsts[last]) / NS_PER_S)


def steps_back(frames: Sequence[Frame]) -> list[str]:
    """Hosts whose own copy has counted backwards, or is another than it was."""
    wrong = []
    for host in sorted({frame.host for frame in frames}):
        counters = [counter for _, counter in ticks(frames, host)]
        boots = {frame.boot for frame in frames if frame.host == host and frame.boot is not None}
        if len(boots) > 1 or any(later <= earlier for earlier, later in pairwise(counters)):
            wrong.append(host)
    return wrong


def without_answer_s(answers: Sequence[Answer], since_ns: int, until_ns: int) -> float:
    """The longest time between two answers, from `since_ns` to `until_ns`, these included."""
    times = sorted(answer.answered_ns for answer in answers if since_ns < answer.answered_ns < until_ns)
    return max(later - earlier for earlier, later in pairwise([since_ns, *times, until_ns])) / NS_PER_S


def is_answered(answers: Sequence[Answer], since_ns: int, until_ns: int) -> bool:
    """Whether a question put between the two was answered, whenever."""
    return any(since_ns <= answer.asked_ns <= until_ns for answer in answers)


def heard_from(frames: Sequence[Frame], since_ns: int) -> list[str]:
    """The hosts from which ticks came since then."""
    return sorted({frame.host for frame in frames if frame.counter is not None and frame.time_ns >= since_ns})
