"""Power cuts during the first copy: in, random moments before a first checkpoint; out, whether nobody took over."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from lab import network
from lab.errors import LabError
from lab.processes import wait
from lab.trials import base, copies, reports
from lab.trials.part import Outcome, Part, Trial, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_PATIENCE_S: Final = 90
_LATEST: Final = 0.8
"""Cuts come in this first part of what a first copy sent: later ones might meet a protected guest."""
_AFTERWARDS_S: Final = 8
"""Longer than any takeover takes."""
_GIVEN_UP_S: Final = 30
"""The stream breaks after some 5 s; then the backup has a copy to end while its machine is busy with other things."""


@contextmanager
def _session(site: Site) -> Iterator[Trial]:
    copy_bytes: list[int] = []

    def trial(turn: Turn) -> Outcome:
        if not copy_bytes:
            copy_bytes.append(_copy_bytes(site, turn))
        return _trial(site, turn, int(turn.random.uniform(0, _LATEST) * copy_bytes[0]))

    yield trial


def _copy_bytes(site: Site, turn: Turn) -> int:
    """How much the backup is sent until the first checkpoint: the same each time, however long it takes."""
    base.begin(site, "unprotected")
    with site.probing(turn.folder) as probe:
        before = network.sent_bytes(site.lab, site.guest.backup)
        site.run(site.guest.primary, f"systemctl start --no-block {site.guest.unit}")
        site.commits_come(probe, 1, _PATIENCE_S)
        return network.sent_bytes(site.lab, site.guest.backup) - before


def _trial(site: Site, turn: Turn, cut_after_bytes: int) -> Outcome:
    base.begin(site, "unprotected")
    backup = site.guest.backup
    with site.watching(turn.folder) as watch, site.probing(turn.folder) as probe:
        goal = network.sent_bytes(site.lab, backup) + cut_after_bytes
        site.run(site.guest.primary, f"systemctl start --no-block {site.guest.unit}")
        if not wait(lambda: network.sent_bytes(site.lab, backup) >= goal, _PATIENCE_S, every_s=0.05):
            raise LabError(f"{backup.name} was not sent {cut_after_bytes} bytes in {_PATIENCE_S} s")
        cut_ns = site.cut_power(site.guest.primary)
        gone = wait(lambda: not site.copies((backup,))[backup.name], _GIVEN_UP_S, every_s=0.5)
        gone_after_s = (time.time_ns() - cut_ns) / NS_PER_S
        wait(lambda: copies.first_answer_s(watch.answers, cut_ns) is not None, _AFTERWARDS_S, every_s=0.2)
    frames, phase = watch.frames, reports.phase(probe.told, cut_ns)
    measured = {"phase": phase, "cut_after_bytes": cut_after_bytes, "gone_after_s": gone_after_s}
    found = {
        f"the cut came too late: {phase}": phase != "first copy",
        "the backup answered": copies.first_answer_s(watch.answers, cut_ns) is not None,
        f"the guest was heard from {copies.hosts(frames)}": copies.hosts(frames) != [site.guest.primary.name],
        f"the backup keeps what it had received for more than {_GIVEN_UP_S} s": not gone,
    }
    return Outcome(measured, faults(found))


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {"trials": len(rows), "nobody_took_over": sum(row.passed for row in rows)}


BEFORE_FIRST_COPY: Final = Part("before_first_copy", "before_first_copy", 3, 10, _session, _summary)
