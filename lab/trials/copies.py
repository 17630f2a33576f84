"""How many copies lived, and did the right one go on: in, what was seen of the guest; out, numbers to judge by."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from lab.trials.sightings import Answer, Frame, ticks
from telemetry.units import NS_PER_S

TICKS_PER_S: Final = 20
"""How fast the demo guest counts."""


def first_answer_s(answers: Sequence[Answer], cut_ns: int) -> float | None:
    """Seconds from the cut to the first answer to a question asked after it; None where there was none.

    Only such a question tells: the answer to an earlier one may have been on its way already.
    """
    after = [answer.answered_ns for answer in answers if answer.asked_ns >= cut_ns]
    return (min(after) - cut_ns) / NS_PER_S if after else None


def live_copies_max(frames: Sequence[Frame]) -> int:
    """The largest number of hosts from which the guest was heard in one span of time.

    A copy is taken to live from its first frame to its last: it may be silent for a while (a checkpoint's pause), so
    one heard before and after the other was alive beside it.
    """
    spans = {host: _span([f.time_ns for f in frames if f.host == host]) for host in {f.host for f in frames}}
    return max((sum(begin <= at <= end for begin, end in spans.values()) for at, _ in spans.values()), default=0)


def hosts(frames: Sequence[Frame]) -> list[str]:
    """Where the guest was heard from, first come first."""
    return list(dict.fromkeys(frame.host for frame in sorted(frames, key=lambda f: f.time_ns)))


@dataclass(frozen=True)
class Continuation:
    """How the guest went on at `new` where it had ended at `old`.

    `before` is the last counter heard from `old`, `after` the first from `new`, `silence_s` the time between the two.
    The guest runs for some seconds at `new` until its network is back, so `after` may be ahead of `before`.
    """

    before: int
    after: int
    same_boot: bool
    silence_s: float

    def goes_on(self, least: int) -> bool:
        """The same guest, from a state not older than when it had counted to `least`, and no further than time allows.

        Beside the silence it may have counted through a pause before: it catches up with a second at most.
        """
        most = self.before + self.silence_s * TICKS_PER_S + TICKS_PER_S
        return self.same_boot and least <= self.after <= most


def continuation(frames: Sequence[Frame], old: str, new: str) -> Continuation | None:
    """How the guest went on; None where it was not heard from both."""
    heard, anew = ticks(frames, old), ticks(frames, new)
    if not heard or not anew:
        return None
    (ended_ns, before), (began_ns, after) = heard[-1], anew[0]
    boots = {frame.boot for frame in frames if frame.boot is not None}
    return Continuation(before, after, len(boots) == 1, (began_ns - ended_ns) / NS_PER_S)


def counter_at(frames: Sequence[Frame], host: str, time_ns: int) -> int:
    """How far the guest had counted at an instant, as heard from a host; 0 where it was not heard before."""
    return max((counter for at_ns, counter in ticks(frames, host) if at_ns <= time_ns), default=0)


def longest_silence_s(frames: Sequence[Frame], start_ns: int, stop_ns: int) -> float:
    """The longest time without a tick between two instants, these included."""
    within = [time_ns for time_ns, _ in ticks(frames) if start_ns < time_ns < stop_ns]
    return max(later - earlier for earlier, later in pairwise([start_ns, *within, stop_ns])) / NS_PER_S


def never_steps_back(frames: Sequence[Frame]) -> bool:
    """Whether one and the same guest counted on all the time."""
    counters = [counter for _, counter in ticks(frames)]
    boots = {frame.boot for frame in frames if frame.boot is not None}
    return len(boots) == 1 and all(earlier < later for earlier, later in pairwise(counters))


def _span(times_ns: Sequence[int]) -> tuple[int, int]:
    return min(times_ns), max(times_ns)
