"""Three etcds instead of one, two of them on the guest's own hosts: in, troubles; out, whether two are enough.

Not among the parts of a plain run: it needs a landscape of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lab.landscape import ROOT
from lab.trials import base
from lab.trials.part import Outcome, Part, Trial, Turn
from lab.trials.parts import one_live_copy
from lab.trials.parts.one_live_copy import Case
from lab.trials.site import Site
from lab.trials.troubles import NO_DISK, Trouble

_WORDS: Final = ("-i", str(ROOT / "inventory" / "lab-judges.yml"))
_KINDS: Final = (
    "stop etcd",
    "power off a",
    "stop etcd a",
    "cut a-all",
    "freeze a",
    "stop etcd b",
    "power off b",
    "kill etcd",
    "cut a-b",
    "stall a",
    "shut down a",
    "cut a-f",
)
"""Each ends one etcd, or cuts it off; `etcd` alone is the one beside the disk."""
_INTERVALS_MS: Final = (25, 500, 2000)
_MOST_WAIT_S: Final = 3.0
_LASTS_S: Final = 30.0
_STILL_S: Final = (8.0, 30.0)
"""Of a host that stands still: the backup is to have taken over by then."""


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    yield lambda turn: _trial(site, turn)


def _trial(site: Site, turn: Turn) -> Outcome:
    base.begin_otherwise(site, "judges", _WORDS, "probed")
    return one_live_copy.meet(site, turn, drawn(turn))


def drawn(turn: Turn) -> Case:
    """The kinds in turn; the rest at random."""
    kind = _KINDS[(turn.number - 1) % len(_KINDS)]
    lasts_s = turn.random.uniform(*_STILL_S) if kind.startswith(("freeze", "stall")) else _LASTS_S
    interval_ms, wait_s = turn.random.choice(_INTERVALS_MS), turn.random.uniform(0, _MOST_WAIT_S)
    return Case("protected", interval_ms, wait_s, (Trouble(kind, 0, lasts_s),), for_all=NO_DISK)


JUDGES: Final = Part("judges", "judges", 0, len(_KINDS), _session, one_live_copy.summary, by_default=False)
