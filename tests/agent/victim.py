"""A process to be killed: in, a spool and a store; out, points spooled and sent, and a journal of what was promised."""

import itertools
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from random import Random

from agent.backoff import Backoff
from agent.events import Events
from agent.sender import Sender
from agent.spool import Spool
from telemetry.point import Point
from telemetry.settings import StoreSettings
from telemetry.stores import open_store

START_NS = 1_700_000_000 * 10**9
QUICK = Backoff(0.002, 0.02)
TRIED, KEPT = "tried", "kept"


def point(n: int) -> Point:
    """The n-th point: no two are alike."""
    return Point("host", {"host": f"h{n % 3}"}, {"cpu_ratio": n / 1_000_000}, START_NS + n)


def sender_of(spool: Spool, settings: StoreSettings) -> Sender:
    """A sender in a hurry."""
    return Sender(
        spool,
        lambda: open_store(settings),
        Events("victim"),
        batch_points=50,
        period_s=0.001,
        flush_s=60.0,
        backoff=QUICK,
    )


@dataclass(frozen=True)
class Place:
    """Where lives are lived: the spool, the store that takes its points (None: none does), and the journal."""

    spool: Path
    max_bytes: int
    store: StoreSettings | None
    journal: Path


def live(place: Place, first: int, seed: int) -> None:
    """Spool points from the `first`-th on, and send them, until killed.

    The journal gets a line before and after every `add`: a line is one write, so it outlives the process.
    """
    spool = Spool(place.spool, max_bytes=place.max_bytes, max_age_s=1e9)
    if place.store is not None:
        threading.Thread(target=sender_of(spool, place.store).run, args=(threading.Event(),), daemon=True).start()
    random, next_one = Random(seed), itertools.count(first)
    written = os.open(place.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while True:
        numbers = list(itertools.islice(next_one, random.randint(1, 20)))
        line = f"{numbers[0]} {numbers[-1] + 1}\n"
        os.write(written, f"{TRIED} {line}".encode())
        spool.add([point(n) for n in numbers])
        os.write(written, f"{KEPT} {line}".encode())
