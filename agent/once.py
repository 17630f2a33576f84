"""A short look through every collector: in, collectors; out, the newest point of each series, or what went wrong."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.collector import Collector
from telemetry.point import Point


@dataclass
class Look:
    """What a collector told; `trouble` is what ended it before its time."""

    collector: str
    points: list[Point] = field(default_factory=list)
    trouble: str | None = None


def look(collectors: Sequence[Collector], duration_s: float) -> list[Look]:
    """Run the collectors side by side for `duration_s`; rates need two samples, so make it two periods and some."""
    stop = threading.Event()
    looks = [Look(collector.name) for collector in collectors]
    threads = [
        threading.Thread(target=_run, args=(collector, seen, stop), daemon=True)
        for collector, seen in zip(collectors, looks, strict=True)
    ]
    for thread in threads:
        thread.start()
    stop.wait(duration_s)
    stop.set()
    for thread in threads:
        thread.join(duration_s)
    return looks


def table(looks: Sequence[Look]) -> str:
    """The looks, for people to read."""
    lines = []
    for seen in looks:
        lines.append(f"{seen.collector}: {seen.trouble or ('' if seen.points else 'nothing to tell')}".rstrip())
        for point in seen.points:
            lines.append(f"  {point.measurement} of {', '.join(point.tags.values())}")
            lines += [f"    {name:<20} {_text(value)}" for name, value in point.fields.items()]
    return "\n".join(lines)


def as_json(looks: Sequence[Look]) -> list[dict[str, object]]:
    """The looks, for programs to read."""
    return [
        {
            "collector": seen.collector,
            "trouble": seen.trouble,
            "points": [
                {"measurement": p.measurement, "tags": dict(p.tags), "fields": dict(p.fields), "time_ns": p.time_ns}
                for p in seen.points
            ],
        }
        for seen in looks
    ]


def _run(collector: Collector, seen: Look, stop: threading.Event) -> None:
    newest: dict[object, Point] = {}

    def emit(points: Sequence[Point]) -> None:
        newest.update({(point.measurement, point.key): point for point in points})
        seen.points = list(newest.values())

    try:
        collector.run(emit, stop)
    except Exception as error:  # noqa: BLE001 - it is shown, and the other collectors go on
        seen.trouble = f"{type(error).__name__}: {error}"


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
