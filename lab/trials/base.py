"""Where trials begin: in, a lab in any state; out, the protected pair in a known one, from a snapshot."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal

from lab import actions
from lab.trials import freeze, special
from lab.trials.part import Outcome, Session, Trial, Turn
from lab.trials.site import Site
from telemetry.revision import commit

Base = Literal["protected", "probed", "unprotected"]
"""protected: all of it runs; probed: the primary's agent is stopped, so that a probe can take its place; unprotected:
and replication, too, in the safe order."""


def begin(site: Site, base: Base) -> None:
    """Have the pair in this state; makes the snapshots where this commit has none. Raises LabError."""
    if not freeze.is_frozen(site):
        prepare(site)
        freeze.converge(site)
    actions.restore(site.lab, base)


def prepare(site: Site) -> None:
    """Have hosts up that the playbooks can make the landscape of: fresh ones, where another commit's is there.

    Guards and receivers of guests that live go on through an update: they would be the other commit's.
    """
    special.leave(site.lab)
    made_by = site.lab.state / "commit"
    if made_by.exists() and made_by.read_text() != commit():
        actions.forget(site.lab)
    actions.up(site.lab)
    made_by.write_text(commit())


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
