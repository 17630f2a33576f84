"""What the interval costs: in, Tomcat in a guest under load; out, how it answers at 25 ms and at Hefery's choice.

Not among the parts of a plain run: it needs a landscape of its own, with another guest.
"""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from lab.errors import LabError
from lab.landscape import HOSTS, ROOT
from lab.processes import wait
from lab.progress import step
from lab.trials import loop, playbooks, special, verified
from lab.trials.guest import Guest
from lab.trials.part import Outcome, Part, Trial, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site

_INVENTORY: Final = ROOT / "inventory" / "lab-tomcat.yml"
_WORDS: Final = ("-e", f"@{_INVENTORY}")
_BUILT: Final = (ROOT / "build" / "guest" / "tomcat" / "disk.img", ROOT / "build" / "jmeter" / "jmeter.tar.gz")
_REPORT: Final = ROOT / "build" / "experiment" / "report.json"
_KIND: Final = "tomcat"
_ANSWERS_S: Final = 900
"""To start Tomcat on an emulated host, before it is replicated: it took 200 s."""
_LEARN_AT_S: Final = (200, 320, 440)
"""Of the load from which the predictor learns: at first of the protective interval alone, then of longer ones, too."""
_LEARN_S: Final = 480
_LOAD_S: Final = 240
_PHASES: Final = ("fixed", "chosen")
_FIGURES: Final = ("interval_ms", "pause_ms", "answers", "errors", "mean_ms", "p95_ms", "gap_ms")


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    missing = [str(path.relative_to(ROOT)) for path in _BUILT if not path.exists()]
    if missing:
        raise LabError(f"{', '.join(missing)} not built: run `make tomcat jmeter`")
    tomcat = replace(site, guest=Guest.declared(_INVENTORY))
    if not special.is_made(site.lab, _KIND):
        _make(tomcat)
    yield _trial


def _make(site: Site) -> None:
    """Tomcat answers, is protected, and the predictor knows how it is under load. Raises LabError."""
    special.begin(site.lab, _KIND)
    folder = site.lab.state
    _play("site.yml", folder)
    site.run(site.guest.primary, f"systemctl stop {site.guest.unit}", timeout_s=180)  # a copy of a JVM that starts
    with step("Tomcat starts"):
        ask = f"curl -fsS -m 10 -o /dev/null http://{site.guest.address}/ && echo answers || true"
        if not wait(lambda: "answers" in site.run(HOSTS["c"], ask), _ANSWERS_S, every_s=5):
            raise LabError(f"{site.guest.name} does not answer after {_ANSWERS_S} s: see its console on a")
    _play("playbooks/protect.yml", folder)
    _learn(site, folder)
    special.finish(site.lab, _KIND)


def _learn(site: Site, folder: Path) -> None:
    _play("playbooks/client.yml", folder, "-e", f"jmeter_duration_s={_LEARN_S}")
    _play("playbooks/load.yml", folder)
    began_s = time.monotonic()
    with step("the predictor learns how the guest is under load"):
        for at_s in _LEARN_AT_S:
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            has_learned, said = loop.train(site)
            if not has_learned:
                raise LabError(f"the predictor has not learned: {said}")
        time.sleep(max(0.0, began_s + _LEARN_S - time.monotonic()))
    _play("playbooks/client.yml", folder, "-e", f"jmeter_duration_s={_LOAD_S}")


def _play(playbook: str, folder: Path, *words: str) -> None:
    playbooks.insist(playbook, folder / f"{Path(playbook).stem}.json", *_WORDS, *words)


def _trial(turn: Turn) -> Outcome:
    _REPORT.unlink(missing_ok=True)
    log = turn.folder / "experiment.json"
    counts = playbooks.play("playbooks/experiment.yml", log, *_WORDS)
    if not _REPORT.exists():
        return Outcome({}, (f"experiment.yml has made no report: {'; '.join(counts.tasks[-3:])}",))
    shutil.copy(_REPORT, turn.folder / "report.json")
    told = json.loads(_REPORT.read_text(encoding="utf-8"))
    measured = {phase["phase"]: {name: phase[name] for name in _FIGURES} for phase in told["phases"]}
    red, _ = verified.verified(turn.folder / "verify.json", *_WORDS)  # now every panel has something to show
    return Outcome(measured, (*told["faults"], *faults({f"{counts.tasks[-3:]}": bool(counts.broken)}), *red))


def _summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [_of_a_phase(name, [row.measured[name] for row in rows if name in row.measured]) for name in _PHASES]


def _of_a_phase(name: str, phases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    figures = {figure: [phase[figure] for phase in phases if phase[figure] is not None] for figure in _FIGURES}
    return {"phase": name, **{figure: round(median(found), 1) if found else None for figure, found in figures.items()}}


EXPERIMENT: Final = Part("experiment", "experiment", 1, 3, _session, _summary, by_default=False)
