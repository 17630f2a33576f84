"""Half an hour of full load and changing intervals: in, orders every few seconds; out, what failed, paused or grew."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lab.trials import base, copies, guards, reports
from lab.trials.part import Outcome, Part, Turn, faults
from lab.trials.report import Row
from lab.trials.site import Site

_DURATION_S: Final = 1800
_SETTLED_S: Final = 120
"""What a replication needs at its beginning is no growth."""
_INTERVALS_MS: Final = (25, 50, 100, 200, 500, 1000, 2000, 4000, 8000)
_LOAD: Final = f"cpu=0.9&pages_per_s=2000&megabytes=32&seconds={_DURATION_S}"
_PATIENCE_S: Final = 60
_MOST_GROWTH: Final = 1.05
_LIBXL_KB: Final = 4.5
"""What libxl 4.17 may keep of each checkpoint: it frees it when replication ends (docs/operating.md)."""
_SIZES: Final = """\
for pid in $(pgrep -x xl; pgrep -x libxl-save-help); do grep VmRSS /proc/$pid/status; done | awk '{s+=$2} END {print s}'
for pid in $(pgrep -x xl; pgrep -x libxl-save-help); do ls /proc/$pid/fd; done | wc -l
find /run/hefery /var/lib/hefery -type f -o -type s | wc -l
"""


def _trial(site: Site, turn: Turn) -> Outcome:
    sizes: list[dict[str, int]] = []
    orders = 0
    began_ns = time.time_ns()
    with site.watching(turn.folder) as watch, site.probing(turn.folder) as probe:
        site.load(_LOAD)
        end_s = time.monotonic() + _DURATION_S
        settled_s = time.monotonic() + _SETTLED_S
        while time.monotonic() < end_s:
            probe.order(turn.random.choice(_INTERVALS_MS))
            orders += 1
            time.sleep(turn.random.uniform(1, 10))
            if time.monotonic() > settled_s:
                sizes.append(_sizes(site) | {"commits": len(reports.commits(probe.told))})
                settled_s = time.monotonic() + _SETTLED_S
        site.commits_come(probe, 2, _PATIENCE_S)
        left, ended_ns = site.copies(site.both()), time.time_ns()
    incoming = f"{site.guest.name}--incoming"
    frames, paused = watch.frames, guards.pauses(site, site.guest.primary, began_ns)
    measured = {
        "orders": orders,
        "commits": len(reports.commits(probe.told)),
        "silence_s": copies.longest_silence_s(frames, began_ns, ended_ns),
        "pauses": paused,
        "sizes": sizes,
    }
    found = growths(sizes[0], sizes[-1]) | {
        f"copies are {left}": left != {site.guest.primary.name: [site.guest.name], site.guest.backup.name: [incoming]},
        f"the guest was heard from {copies.hosts(frames)}": copies.hosts(frames) != [site.guest.primary.name],
        "the guest did not count on": not copies.never_steps_back(frames),
        f"the guest was paused {len(paused)} times: {', '.join(paused[:3])}": bool(paused),
    }
    return Outcome(measured, faults(found))


def growths(first: Mapping[str, int], last: Mapping[str, int]) -> dict[str, bool]:
    """What each size was and became, and whether that is more than it should be."""
    libxl_kb = (last["commits"] - first["commits"]) * _LIBXL_KB
    most = {
        "rss_kb": first["rss_kb"] * _MOST_GROWTH + libxl_kb,
        "descriptors": first["descriptors"],
        "files": first["files"],
    }
    return {f"{name} grew from {first[name]} to {last[name]}": last[name] > most[name] for name in most}


def _sizes(site: Site) -> dict[str, int]:
    """Memory and descriptors of replication on the primary, and files of ours."""
    told = site.run(site.guest.primary, _SIZES).split()
    return dict(zip(("rss_kb", "descriptors", "files"), map(int, told), strict=True))


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    commits = sum(row.measured.get("commits", 0) for row in rows)
    pauses = sum(len(row.measured.get("pauses", ())) for row in rows)
    return {"trials": len(rows), "passed": sum(row.passed for row in rows), "commits": commits, "pauses": pauses}


SOAK: Final = Part("soak", "soak", 0, 1, base.once("probed", _trial), _summary)
