"""What the store has: in, a measurement and a time; out, its points, read on the monitoring host with its own tools."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.landscape import HOSTS
from lab.processes import wait
from lab.trials.children import feed
from lab.trials.site import Site
from telemetry.units import NS_PER_S

_MONITOR: Final = HOSTS["m"]
_AHEAD_S: Final = 60
_READ: Final = """\
import json, sys
from pathlib import Path
from predictor.settings import PredictorSettings
from telemetry.settings import load
from telemetry.stores import open_store
measurement, start_ns, stop_ns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = open_store(load(Path("/etc/hefery/predictor.toml"), PredictorSettings).store)
for point in store.events(measurement, start_ns, stop_ns):
    print(json.dumps([point.time_ns, dict(point.tags), dict(point.fields)]))
"""


@dataclass(frozen=True)
class Seen:
    """A point of the store."""

    time_ns: int
    tags: dict[str, str]
    fields: dict[str, Any]


def points(
    site: Site, measurement: str, start_ns: int, stop_ns: int, *, of: Mapping[str, str] | None = None
) -> list[Seen]:
    """Points of [start, stop) with these tags, else the guest's; oldest first. Raises LabError."""
    tags = {"domain": site.guest.name} if of is None else of
    command = f"/opt/hefery/venv/bin/python - {measurement} {start_ns} {stop_ns}"
    seen = [Seen(*json.loads(line)) for line in feed(site.lab, _MONITOR, command, _READ).splitlines()]
    return sorted((s for s in seen if tags.items() <= s.tags.items()), key=lambda s: s.time_ns)


def await_point(
    site: Site,
    measurement: str,
    start_ns: int,
    limit_s: float,
    wanted: Callable[[Seen], bool],
    *,
    of: Mapping[str, str] | None = None,
) -> Seen | None:
    """The first point from `start_ns` on that is `wanted`, once the store has it; None after `limit_s`.

    The monitoring host has this machine's clock, the others theirs, set at the last restore.
    """
    found: list[Seen] = []

    def there() -> bool:
        seen = points(site, measurement, start_ns, start_ns + int((limit_s + _AHEAD_S) * NS_PER_S), of=of)
        found.extend(point for point in seen if wanted(point))
        return bool(found)

    wait(there, limit_s, every_s=0.5)
    return found[0] if found else None
