"""Half an hour of full load and changing intervals: in, orders every few seconds; out, what failed, paused or grew."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from lab.landscape import Host
from lab.trials import base, copies, guards, reports
from lab.trials import sizes as sizes_program
from lab.trials.children import feed
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
"""Of each program: an agent's memory grew by 3.9 % in the first 40 minutes of its life."""
_LIBXL_KB: Final = 4.5
"""What libxl 4.17 may keep of each checkpoint: it frees it when replication ends (docs/operating.md)."""
_LAST: Final = 3
"""Looks in all of which something has grown: one alone may have met a process that came and went."""
_EVERYWHERE: Final = tuple(f"hefery-{unit} hefery-remus" for unit in ("guard", "minder", "heartbeat"))
_ON_PRIMARY: Final = ("remus xl", "remus libxl-save-help", "remus hefery-remus", *_EVERYWHERE)
_ON_BACKUP: Final = ("hefery-receiver xl", "hefery-receiver hefery-remus", *_EVERYWHERE)
"""Programs without which a look has missed what it is for."""

Sizes = Mapping[str, int]
"""What was counted, each by its host and name, and `commits`, the checkpoints until then."""


def _trial(site: Site, turn: Turn) -> Outcome:
    sizes: list[Sizes] = []
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
                sizes.append({**_sizes(site), "commits": len(reports.commits(probe.told))})
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
    missed = {
        f"{host.name} {name} was not seen": f"{host.name} {name} rss_kb" not in sizes[0]
        for host, names in zip(site.both(), (_ON_PRIMARY, _ON_BACKUP), strict=True)
        for name in names
    }
    found = (
        missed
        | growths(sizes)
        | {
            f"copies are {left}": left
            != {site.guest.primary.name: [site.guest.name], site.guest.backup.name: [incoming]},
            f"the guest was heard from {copies.hosts(frames)}": copies.hosts(frames) != [site.guest.primary.name],
            "the guest did not count on": not copies.never_steps_back(frames),
            f"the guest was paused {len(paused)} times: {', '.join(paused[:3])}": bool(paused),
        }
    )
    return Outcome(measured, faults(found))


def growths(sizes: Sequence[Sizes]) -> dict[str, bool]:
    """What each size was and became, and whether that is more than it should be."""
    first, last = sizes[0], sizes[-_LAST:]
    names = dict.fromkeys(name for look in (first, *last) for name in look if name != "commits")
    return {
        f"{name} grew from {first.get(name, 0)} to {last[-1].get(name, 0)}": all(
            look.get(name, 0) > _most(name, first, look) for look in last
        )
        for name in names
    }


def _most(name: str, first: Sizes, look: Sizes) -> float:
    """How large it may be in a look."""
    was = first.get(name, 0)
    if not name.endswith(" rss_kb"):
        return was
    is_libxls = name.endswith(" xl rss_kb")
    return was * _MOST_GROWTH + (look["commits"] - first["commits"]) * _LIBXL_KB * is_libxls


def _sizes(site: Site) -> dict[str, int]:
    """Memory and descriptors of each program of ours on both hosts, and files of ours."""
    program = Path(sizes_program.__file__).read_text(encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda host: feed(site.lab, host, "python3 -", program), site.both()))
    return {name: count for host, text in zip(site.both(), told, strict=True) for name, count in counted(host, text)}


def counted(host: Host, printed: str) -> Iterator[tuple[str, int]]:
    """Each size by its name, from what the program has printed on a host."""
    said = json.loads(printed)
    for program, figures in said["programs"].items():
        yield from ((f"{host.name} {program} {figure}", count) for figure, count in figures.items())
    yield f"{host.name} files", said["files"]


def _summary(rows: Sequence[Row]) -> dict[str, Any]:
    commits = sum(row.measured.get("commits", 0) for row in rows)
    pauses = sum(len(row.measured.get("pauses", ())) for row in rows)
    return {"trials": len(rows), "passed": sum(row.passed for row in rows), "commits": commits, "pauses": pauses}


SOAK: Final = Part("soak", "soak", 0, 1, base.once("probed", _trial), _summary)
