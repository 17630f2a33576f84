"""Power cuts where no lease decides: in, a landscape of that kind; out, the same as of failovers by lease.

Not among the parts of a plain run: it needs a landscape of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lab import actions
from lab.trials import freeze, special
from lab.trials.part import Outcome, Part, Trial, Turn
from lab.trials.parts import failover
from lab.trials.site import Site

_KIND: Final = "heartbeat"
_WORDS: Final = ("-e", "remus_lease=false")


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    if not special.is_made(site.lab, _KIND):
        special.begin(site.lab, _KIND)
        freeze.converge(site, *_WORDS)
        freeze.forget(site)  # its snapshots have the usual names, and are not those of the usual landscape
        special.finish(site.lab, _KIND)

    def trial(turn: Turn) -> Outcome:
        actions.restore(site.lab, "probed")
        return failover.trial(site, turn)

    yield trial


HEARTBEAT: Final = Part("heartbeat", "heartbeat", 0, 10, _session, failover.summary, by_default=False)
