"""A change of the interval of a running replication: in, orders by rename; out, how soon they are in force."""

import time
from collections.abc import Sequence
from typing import Any, Final

from lab.errors import LabError
from lab.processes import wait
from lab.trials import base, changes
from lab.trials.part import Outcome, Part, Turn, faults, median_of
from lab.trials.report import Row
from lab.trials.site import Site

_LONG_MS, _SHORT_MS = 500, 25
_MOST_MS: Final = 300
_PATIENCE_S: Final = 30


def _trial(site: Site, turn: Turn) -> Outcome:
    """Lengthen, and then shorten, each at a random moment."""
    with site.probing(turn.folder) as probe:
        site.commits_come(probe, 2, _PATIENCE_S)
        time.sleep(turn.random.uniform(0, 1))
        lengthen = probe.order(_LONG_MS)
        if not wait(lambda: changes.applied_ms(probe.told, lengthen) is not None, _PATIENCE_S):
            raise LabError(f"an order of {_LONG_MS} ms was not applied in {_PATIENCE_S} s")
        site.commits_come(probe, 2, _PATIENCE_S)
        time.sleep(turn.random.uniform(0, 1))
        shorten = probe.order(_SHORT_MS)
        if not wait(lambda: changes.shorten_ms(probe.told, shorten) is not None, _PATIENCE_S):
            raise LabError(f"no checkpoint followed an order of {_SHORT_MS} ms in {_PATIENCE_S} s")
        site.commits_come(probe, 1, _PATIENCE_S)
        return Outcome(
            {
                "shorten_ms": changes.shorten_ms(probe.told, shorten),
                "shorten_applied_ms": changes.applied_ms(probe.told, shorten),
                "lengthen_ms": changes.applied_ms(probe.told, lengthen),
            }
        )


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "shorten_median": median_of(rows, "shorten_ms"),
        "lengthen_median": median_of(rows, "lengthen_ms"),
        "trials": len(rows),
    }


def _goals(rows: Sequence[Row]) -> tuple[str, ...]:
    medians = {name: median_of(rows, f"{name}_ms") for name in ("shorten", "lengthen")}
    return faults(
        {
            f"to {name} took {value:g} ms in the median, more than {_MOST_MS}": value > _MOST_MS
            for name, value in medians.items()
            if value is not None
        }
    )


INTERVAL_CHANGE: Final = Part(
    "interval_change", "interval_change_ms", 5, 10, base.once("probed", _trial), _summary, _goals
)
