"""What intervals give: in, an order for each; out, the period, pause and rate that are achieved."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from lab.errors import LabError
from lab.trials import base, changes
from lab.trials.part import Outcome, Part, Turn
from lab.trials.report import Row
from lab.trials.site import Site

_INTERVALS_MS: Final = (25, 50, 100, 200, 500, 2000)
_COMMITS: Final = 12
_PATIENCE_S: Final = 60


def _trial(site: Site, turn: Turn) -> Outcome:
    interval_ms = _INTERVALS_MS[turn.number - 1]
    with site.probing(turn.folder) as probe:
        probe.order(interval_ms)
        site.commits_come(probe, _COMMITS, _PATIENCE_S)
        found = changes.rates(probe.told, interval_ms)
    if found is None:
        raise LabError(f"too few checkpoints were reported at {interval_ms} ms")
    return Outcome({"interval_ms": interval_ms, **asdict(found)})


def _summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(row.measured) for row in rows if row.passed]


INTERVALS: Final = Part(
    "intervals", "intervals", len(_INTERVALS_MS), len(_INTERVALS_MS), base.once("probed", _trial), _summary, fixed=True
)
