"""Landscapes that are made otherwise than the inventory says: in, a lab; out, which kind it is, or fresh hosts.

Fresh hosts are the shortest way from one kind to another.
"""

from pathlib import Path

from lab import actions
from lab.landscape import Instance
from telemetry.revision import commit


def begin(lab: Instance, kind: str) -> None:
    """Have fresh hosts that are to become of that kind."""
    actions.forget(lab)
    actions.up(lab)
    _mark(lab, kind).touch()


def finish(lab: Instance, kind: str) -> None:
    """They have become so."""
    _mark(lab, kind).write_text(commit())


def is_made(lab: Instance, kind: str) -> bool:
    """Whether it is of that kind, and as this commit makes it."""
    return _mark(lab, kind).exists() and _mark(lab, kind).read_text() == commit()


def leave(lab: Instance) -> None:
    """Throw a landscape of any kind away, for who wants the one of the inventory."""
    if any(lab.state.glob("special-*")):
        actions.forget(lab)


def _mark(lab: Instance, kind: str) -> Path:
    return lab.state / f"special-{kind}"
