"""Power cuts of the primary: in, random moments; out, whether one copy went on, and how soon it answered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lab.processes import wait
from lab.trials import base, copies, reports, shares
from lab.trials.children import Probe
from lab.trials.part import Outcome, Part, Turn, faults, median_of, values
from lab.trials.report import Row
from lab.trials.site import Site, Watch

_INTERVALS_MS: Final = (25, 100, 500, 2000)
_LOADS: Final = {
    "light": "",
    "heavy": "cpu=0.3&pages_per_s=2000&megabytes=32&seconds=120",
}
_PATIENCE_S: Final = 30
_MOST_S: Final = 5.5
"""Most of it the lease."""
_AFTERWARDS_S: Final = 5
"""Long enough for a second copy to be heard, if there were one."""
_UNACKNOWLEDGED: Final = 3
"""Checkpoints that the primary counts as committed although the backup may not have them (4.17 awaits no answer)."""


@dataclass(frozen=True)
class Circumstances:
    """What a cut meets: drawn for each trial."""

    load: str
    interval_ms: int
    next_ms: int | None
    """An order that is given just before the cut, in half of the trials."""
    wait_s: float
    after_order_s: float

    @classmethod
    def draw(cls, turn: Turn) -> "Circumstances":
        """Light and heavy load in turn; the rest at random."""
        interval_ms, other_ms = turn.random.sample(_INTERVALS_MS, 2)
        return cls(
            load=list(_LOADS)[turn.number % 2],
            interval_ms=interval_ms,
            next_ms=other_ms if turn.random.random() < 0.5 else None,
            wait_s=turn.random.uniform(1, 5),
            after_order_s=turn.random.uniform(0, 0.5),
        )


def trial(site: Site, turn: Turn) -> Outcome:
    """Cut the primary's power, of a pair that is protected and has a probe in its agent's place."""
    drawn = Circumstances.draw(turn)
    with site.watching(turn.folder) as watch, site.probing(turn.folder) as probe:
        if query := _LOADS[drawn.load]:
            site.load(query)
        probe.order(drawn.interval_ms)
        site.commits_come(probe, 3, _PATIENCE_S)
        time.sleep(drawn.wait_s)
        if drawn.next_ms is not None:
            probe.order(drawn.next_ms)
            time.sleep(drawn.after_order_s)
        cut_ns = site.cut_power(site.guest.primary)
        wait(lambda: copies.first_answer_s(watch.answers, cut_ns) is not None, _PATIENCE_S, every_s=0.2)
        time.sleep(_AFTERWARDS_S)
    return judge(site, drawn, watch, probe, cut_ns)


def judge(site: Site, drawn: Circumstances, watch: Watch, probe: Probe, cut_ns: int) -> Outcome:
    """What the logs of a trial show, once it is over."""
    frames, answers = watch.frames, watch.answers
    answer_s = copies.first_answer_s(answers, cut_ns)
    went_on = copies.continuation(frames, site.guest.primary.name, site.guest.backup.name)
    live = copies.live_copies_max(frames)
    left = site.copies((site.guest.backup,))[site.guest.backup.name]
    journal = site.run(site.guest.backup, shares.COMMAND)
    least = copies.counter_at(frames, site.guest.primary.name, reports.certain_ns(probe.told, _UNACKNOWLEDGED))
    boots = {answer.boot for answer in answers}
    measured = {
        "load": drawn.load,
        "interval_ms": drawn.interval_ms,
        "ordered_ms": drawn.next_ms,
        "phase": reports.phase(probe.told, cut_ns),
        "first_answer_s": answer_s,
        "live_copies": live,
        "counter_certain": least,
        "counter_before": went_on.before if went_on else None,
        "counter_after": went_on.after if went_on else None,
        "silence_s": went_on.silence_s if went_on else None,
        **shares.shares(journal, frames, site.guest.backup.name, cut_ns, answer_s),
    }
    found = {
        "no answer after the cut": answer_s is None,
        f"{live} copies lived at a time": live != 1,
        f"the backup has {left or 'no copy'}": left != [site.guest.name],
        "the guest that answers is another than before": len(boots) != 1,
        "the counter does not go on from where it was": went_on is None or not went_on.goes_on(least),
    }
    return Outcome(measured, faults(found))


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """How many survived, how soon, and what the time went into."""
    return {
        "trials": len(rows),
        "survived": sum(row.passed for row in rows),
        "first_answer_s_median": median_of(rows, "first_answer_s"),
        "shares_s_median": shares.medians(rows),
        "live_copies_max": max(values(rows, "live_copies"), default=None),
    }


def goals(rows: Sequence[Row], *, most_s: float = _MOST_S) -> tuple[str, ...]:
    """Whether the first answer came too late in the median."""
    median_s = median_of(rows, "first_answer_s")
    slow = median_s is not None and median_s >= most_s
    return faults({f"the first answer came after {median_s} s in the median, not in less than {most_s:g}": slow})


FAILOVER: Final = Part("failover", "failover", 5, 50, base.each_time("probed", trial), summary, goals)
