"""There and back again: in, a power cut of the primary; out, whether each act on the way home left one live copy."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lab import actions
from lab.landscape import Host
from lab.processes import wait
from lab.trials import base, copies, histories, playbooks
from lab.trials.part import Outcome, Part, Turn, faults, median_of
from lab.trials.report import Row
from lab.trials.site import Site, Watch

_PATIENCE_S: Final = 120
_ONCE_MORE_EVERY: Final = 3
"""The last trial of so many ends the maintenance and goes on, protected again, to a drill."""
_IN_MAINTENANCE: Final = "/run/hefery/maintenance"
_REFUSAL: Final = "reprotect.yml"
"""What site.yml names where a guest does not live on its primary."""


@dataclass(frozen=True)
class Step:
    """An act, and what is to be so after it: where the guest lives, and whether the other host has its copy."""

    name: str
    act: Callable[[Site, Path], str]
    """Does it, with a folder for its log; what went wrong in words, empty where nothing did."""
    lives_on: Host
    waits_on: Host
    is_protected: bool = False
    is_off: bool = False
    """The other host, which then cannot be asked."""

    def expected(self, name: str) -> Mapping[str, Sequence[str]]:
        """The guest's copies by host."""
        there = {} if self.is_off else {self.waits_on.name: [f"{name}--incoming"] if self.is_protected else []}
        return {self.lives_on.name: [name], **there}

    def asked(self) -> tuple[Host, ...]:
        """Who is asked for copies."""
        return (self.lives_on,) if self.is_off else (self.lives_on, self.waits_on)


def way(site: Site, number: int) -> tuple[Step, ...]:
    """From the primary's end home again, as the backup is left for its maintenance; some trials go there once more."""
    primary, backup = site.both()
    home = (
        Step("failover", _fail_over, backup, primary, is_off=True),
        Step("site_while_off", _site_while_off, backup, primary, is_off=True),
        Step("return", _return, backup, primary),
        Step("site", _site, backup, primary),
        Step("reprotect", _play, backup, primary, is_protected=True),
        Step("maintenance", _leave, primary, backup),
    )
    once_more = (
        Step("over", _end_maintenance, primary, backup),
        Step("protect", _play, primary, backup, is_protected=True),
        Step("drill", _play, backup, primary),
    )
    return home if number % _ONCE_MORE_EVERY else (*home, *once_more)


def _trial(site: Site, turn: Turn) -> Outcome:
    measured: dict[str, float] = {}
    for step in way(site, turn.number):
        folder = turn.folder / step.name
        folder.mkdir(parents=True)
        began_s = time.monotonic()
        wrong = _take(site, step, folder)
        measured[f"{step.name}_s"] = time.monotonic() - began_s
        if wrong:
            return Outcome(measured, tuple(f"{step.name}: {words}" for words in wrong))
    return Outcome(measured)


def _take(site: Site, step: Step, folder: Path) -> tuple[str, ...]:
    with site.watching(folder) as watch:
        if problem := step.act(site, folder):
            return (problem,)
        if step.is_protected and not wait(lambda: site.is_protected(step.lives_on), _PATIENCE_S, every_s=1):
            return (f"the guest is not protected on {step.lives_on.name}",)
        _await_answer(watch, time.time_ns())
        looked_ns = time.time_ns()
        _await_answer(watch, looked_ns)
        return judge(step, site.guest.name, watch, looked_ns, site.copies(step.asked()))


def judge(step: Step, name: str, watch: Watch, looked_ns: int, there: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What is wrong after a step; `looked_ns` is some time before its end, when all was as it is to be."""
    frames = watch.frames
    heard = histories.heard_from(frames, looked_ns)
    return faults(
        {
            f"there are {there}": there != step.expected(name),
            f"the guest is heard from {heard}": heard != [step.lives_on.name],
            "two copies were heard side by side": histories.overlap_s(frames) > 0,
            f"the guest steps back on {histories.steps_back(frames)}": bool(histories.steps_back(frames)),
            "the guest does not answer": copies.first_answer_s(watch.answers, looked_ns) is None,
        }
    )


def _await_answer(watch: Watch, since_ns: int) -> None:
    wait(lambda: copies.first_answer_s(watch.answers, since_ns) is not None, _PATIENCE_S, every_s=0.2)


def _fail_over(site: Site, _: Path) -> str:
    if not wait(site.is_protected, _PATIENCE_S, every_s=0.5):
        raise ValueError("the guest was not protected after the restore")
    site.cut_power(site.guest.primary)
    taken_over = wait(lambda: site.copies((site.guest.backup,))[site.guest.backup.name] == [site.guest.name], 60)
    return "" if taken_over else "the backup did not take over"


def _return(site: Site, _: Path) -> str:
    """The dead host boots, and wakes nothing."""
    actions.up(site.lab)
    return ""


def _site_while_off(site: Site, folder: Path) -> str:
    """It names who is off, and where the guest lives."""
    off, lives_on = site.guest.primary.name, site.guest.backup.name
    counts = playbooks.play("site.yml", folder / "ansible.json")
    return refusal(counts, f"{off} did not answer", f"it does on {lives_on}", off=1)


def _site(_: Site, folder: Path) -> str:
    """All is done but for the protection, which another act has to begin."""
    return refusal(playbooks.play("site.yml", folder / "ansible.json"), _REFUSAL)


def _leave(site: Site, folder: Path) -> str:
    return _maintain(site, folder) or ("" if _takes_no_copies(site) else "it would still take copies")


def _end_maintenance(site: Site, folder: Path) -> str:
    return _maintain(site, folder, "-e", "over=true") or ("it takes no copies" if _takes_no_copies(site) else "")


def _maintain(site: Site, folder: Path, *words: str) -> str:
    """Of the backup."""
    host = f"host={site.guest.backup.name}"
    return _wrong(playbooks.play("playbooks/maintenance.yml", folder / "ansible.json", "-e", host, *words))


def _takes_no_copies(site: Site) -> bool:
    return site.has(site.guest.backup, _IN_MAINTENANCE)


def refusal(counts: playbooks.Counts, *words: str, off: int = 0) -> str:
    """What is wrong with one that is to be all that failed, in these words, beside `off` hosts that are unreachable."""
    is_told = any(all(word in task for word in words) for task in counts.tasks)
    return "" if (counts.failed, counts.unreachable) == (1, off) and is_told else f"no refusal: {counts}"


def _play(_: Site, folder: Path) -> str:
    """The playbook of the step's name."""
    return _wrong(playbooks.play(f"playbooks/{folder.name}.yml", folder / "ansible.json"))


def _wrong(counts: playbooks.Counts) -> str:
    return "; ".join(counts.tasks[-3:]) if counts.broken else ""


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    names = ("reprotect_s", "maintenance_s", "protect_s", "drill_s")
    return {
        "trials": len(rows),
        "came_home": sum(row.passed for row in rows),
        **{f"{name}_median": median_of(rows, name) for name in names},
    }


FAILBACK: Final = Part("failback", "failback", 1, 3, base.each_time("protected", _trial), _summary)
