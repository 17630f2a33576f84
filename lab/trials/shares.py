"""What a takeover's time went into: in, the backup's journal and what was seen of the guest; out, seconds a part."""

import re
from collections.abc import Sequence
from typing import Final

from lab.trials.part import median_of
from lab.trials.report import Row
from lab.trials.sightings import Frame
from telemetry.units import NS_PER_MS, NS_PER_S

COMMAND: Final = "journalctl --no-pager --output short-unix --since -5min --lines 2000 --unit 'hefery-receiver@*'"
"""What the backup is asked for."""
PARTS: Final = ("silence_until_decided_s", "xl_s", "network_s", "server_s")
"""The old primary's silence until the gate decides, xl's waking of the copy, then until the guest's first frame, then
until its first answer."""
CLAIM_PARTS: Final = ("lease_s", "fence_s", "record_s", "stream_s", "guard_s")
"""Of the decision, where a lease decides: `lease_s` counts from the primary's last sign of life, not from its end."""
_DECIDED: Final = re.compile(r"^([0-9]+\.[0-9]+) .*: taking over: ", re.MULTILINE)
_WOKEN: Final = re.compile(r" runs here now: .*, xl [0-9]+ ms")
_PART: Final = re.compile(r"(xl|lease|fence|record|stream|guard) ([0-9]+) ms")


def shares(journal: str, frames: Sequence[Frame], host: str, cut_ns: int, answer_s: float | None) -> dict[str, float]:
    """Seconds of each part that is known, of a takeover by `host` after `cut_ns`; PARTS add up to `answer_s`."""
    decided = [float(at) - cut_ns / NS_PER_S for at in _DECIDED.findall(journal)]
    decided_s = min((at_s for at_s in decided if at_s > 0), default=None)
    woken = _WOKEN.findall(journal)
    heard = [frame.time_ns for frame in frames if frame.host == host and frame.time_ns > cut_ns]
    if decided_s is None or not woken or not heard or answer_s is None:
        return {}
    told_s = {f"{part}_s": int(ms) * NS_PER_MS / NS_PER_S for part, ms in _PART.findall(woken[-1])}
    xl_s, heard_s = told_s.pop("xl_s"), (min(heard) - cut_ns) / NS_PER_S
    times_s = (decided_s, xl_s, heard_s - decided_s - xl_s, answer_s - heard_s)
    return {**dict(zip(PARTS, times_s, strict=True)), **told_s}


def medians(rows: Sequence[Row]) -> dict[str, float | None]:
    """Of each part, over the trials in which it is known."""
    return {part: median_of(rows, part) for part in (*PARTS, *CLAIM_PARTS)}
