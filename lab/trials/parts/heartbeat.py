"""Power cuts where no lease decides: in, a landscape of that kind; out, the same as of failovers by lease.

Not among the parts of a plain run: it needs a landscape of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from lab.trials import base
from lab.trials.part import Outcome, Part, Trial, Turn
from lab.trials.parts import failover
from lab.trials.report import Row
from lab.trials.site import Site

_WORDS: Final = ("-e", "remus_lease=false")
_MOST_S: Final = 4.0


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    def trial(turn: Turn) -> Outcome:
        base.begin_otherwise(site, "heartbeat", _WORDS, "probed")
        return failover.trial(site, turn)

    yield trial


def _goals(rows: Sequence[Row]) -> tuple[str, ...]:
    return failover.goals(rows, most_s=_MOST_S)


HEARTBEAT: Final = Part("heartbeat", "heartbeat", 0, 10, _session, failover.summary, _goals, by_default=False)
