"""Playbooks on a landscape: in, a lab; out, what site.yml changed, told and did not do, again and as a dry run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from lab import actions, remote
from lab.trials import base, freeze, playbooks, secrecy
from lab.trials.part import Outcome, Part, Trial, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site

_PLAYBOOK: Final = "site.yml"
_CASES: Final = ("converge", "again", "check", "check fresh", "plain strategy")
"""The first three in CI; the last two, in full, begin with hosts that were never touched."""
_AGAIN: Final = 1 + _CASES.index("again")


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    base.prepare(site)
    freeze.forget(site)
    remote.set_clocks(site.lab)  # where it was up already, what stopped a host may have stopped its clock
    yield lambda turn: _run(site, turn)


def _run(site: Site, turn: Turn) -> Outcome:
    case = _CASES[turn.number - 1]
    if case == "check fresh":
        actions.forget(site.lab)
        actions.up(site.lab)
    words = ["--check", "--diff"] if case.startswith("check") else []
    mitogen = case in _CASES[:3]
    log = turn.folder / "ansible.json"
    counts = playbooks.play(_PLAYBOOK, log, *words, mitogen=mitogen)
    told = secrecy.told(log.read_text(encoding="utf-8"), secrecy.known(site))
    if case == "check":
        freeze.freeze(site)
    found = {
        f"{counts.broken} failed or unreachable: {'; '.join(counts.tasks[-3:])}": counts.broken > 0,
        f"{counts.changed} changed: {'; '.join(counts.tasks[:3])}": counts.changed > 0 and case in {"again", "check"},
        f"{log} has secrets: {', '.join(told)}": bool(told),
    }
    measured = {
        "case": case,
        "changed": counts.changed,
        "failed": counts.failed,
        "unreachable": counts.unreachable,
        "tasks": counts.tasks,
    }
    return Outcome(measured, faults(found))


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    again = [row.measured.get("changed") for row in rows if row.trial == _AGAIN]
    broken = [row.measured.get("failed", 1) + row.measured.get("unreachable", 0) for row in rows]
    return {"changed_second_run": again[0] if again else None, "failed": sum(broken)}


CONVERGE: Final = Part("converge", "converge", 3, len(_CASES), _session, _summary, fixed=True)
