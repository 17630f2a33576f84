"""Where trials begin: in, a lab in any state; out, the protected pair in a known one, from a snapshot."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

from lab import actions
from lab.trials import freeze, special
from lab.trials.part import Outcome, Session, Trial, Turn
from lab.trials.site import Site

Base = Literal["protected", "probed", "unprotected"]
"""protected: all of it runs; probed: the primary's agent is stopped, so that a probe can take its place; unprotected:
and replication, too, in the safe order."""


def begin(site: Site, base: Base) -> None:
    """Have the pair in this state; makes the snapshots where this commit has none. Raises LabError."""
    if not freeze.is_frozen(site):
        special.leave(site.lab)
        actions.up(site.lab)
        if freeze.was_frozen(site):  # a trial may have left the guest where site.yml rightly refuses to go on
            actions.restore(site.lab, "protected")
        freeze.converge(site)
    actions.restore(site.lab, base)


def begin_otherwise(site: Site, kind: str, words: Sequence[str], base: Base) -> None:
    """The same of a pair that the playbooks, told `words`, have made otherwise than the inventory says."""
    if not special.is_made(site.lab, kind):
        special.begin(site.lab, kind)
        freeze.converge(site, *words)
        freeze.forget(site)  # its snapshots have the usual names, and are not those of the usual landscape
        special.finish(site.lab, kind)
    actions.restore(site.lab, base)


def once(base: Base, trial: Callable[[Site, Turn], Outcome]) -> Session:
    """A session that has the pair in this state once, before its first trial."""

    @contextmanager
    def session(site: Site) -> Iterator[Trial]:
        begin(site, base)
        yield partial(trial, site)

    return session


def each_time(base: Base, trial: Callable[[Site, Turn], Outcome]) -> Session:
    """A session that has the pair in this state before each trial."""

    def begun(site: Site, turn: Turn) -> Outcome:
        begin(site, base)
        return trial(site, turn)

    @contextmanager
    def session(site: Site) -> Iterator[Trial]:
        yield partial(begun, site)

    return session
