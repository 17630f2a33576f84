"""How intervals compare: in, a load's plan, its answers and what the store tells of checkpoints; out, a report."""

import csv
import io
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

LOAD = {
    "users": "ThreadGroup.num_threads",
    "ramp_s": "ThreadGroup.ramp_time",
    "duration_s": "ThreadGroup.duration",
    "think_ms": "ConstantTimer.delay",
    "timeout_ms": "HTTPSampler.response_timeout",
}
HEADER = ("phase", "interval ms", "per s", "pause ms", "answers", "errors", "mean ms", "p95 ms", "gap ms")
FIGURES = ("interval_ms", "checkpoints_per_s", "pause_ms", "answers", "errors", "mean_ms", "p95_ms", "gap_ms")
MEANS = {"interval_ms": "interval_ms", "pause_ms": "pause_ms", "rate_per_s": "checkpoints_per_s"}


def act_load(plan):
    """Return what JMeter is to do by its plan; an address that is empty where there is no plan."""
    if not plan:
        return {"address": ""}
    found = {node.attrib["name"]: node.text for node in ET.fromstring(plan).iter() if node.tag.endswith("Prop")}  # noqa: S314 - our own template
    told = {name: int(found[key]) for name, key in LOAD.items()}
    return {"address": found["HTTPSampler.domain"], "path": found["HTTPSampler.path"], **told}


def act_report(phases, answers, plan, about):
    """Return everything worth keeping: `about` it all; what the client saw; from the store's `answers` checkpoints."""
    rows = [_phase(phase, _checkpoints(answer)) for phase, answer in zip(phases, answers, strict=True)]
    return {
        **about,
        "warm_up_s": int(about["warm_up_s"]),  # Jinja makes text of it
        "seed": None,  # nothing is drawn: users of JMeter ask, wait, think for a fixed time, and ask again
        "guest": plan["guest"],
        "on": plan["host"],
        "phases": rows,
        "faults": [fault for row in rows for fault in _faults(row, rows[0])],
    }


def act_report_table(report):
    """Return lines that show the phases."""
    rows = [HEADER, *([row["phase"], *(_cell(row[name]) for name in FIGURES)] for row in report["phases"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(value):
    return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _phase(phase, checkpoints):
    seen = phase["seen"]
    return {
        "phase": phase["name"],
        "held": phase["held"],
        "begin": act_time(seen["begin_ms"]),
        "end": act_time(seen["end_ms"]),
        **checkpoints,
        "answers": seen["count"],
        "errors": seen["errors"],
        **{name: seen["times_ms"].get(name) for name in ("mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")},
        "gap_ms": seen["gap_ms"],
    }


def _checkpoints(text):
    """Return means over a phase, the shortest and longest interval, and whether the guest was protected all through."""
    tables = text.replace("\r\n", "\n").split("\n\n")
    told = [(row["_field"], row["_value"]) for table in tables for row in csv.DictReader(io.StringIO(table.strip()))]
    values = {name: [float(value) for field, value in told if field == name] for name in MEANS}
    flags = [value == "true" for field, value in told if field == "protected"]
    intervals = values["interval_ms"]
    return {
        **{called: sum(values[name]) / len(values[name]) if values[name] else None for name, called in MEANS.items()},
        "interval_min_ms": min(intervals, default=None),
        "interval_max_ms": max(intervals, default=None),
        "protected": bool(flags) and all(flags),
    }


def _faults(row, first):
    """Yield why a phase does not show what it was made for."""
    if not row["protected"]:
        yield f"{row['phase']}: the guest was not protected all through, or the store has not heard of it"
    if row["mean_ms"] is None:
        yield f"{row['phase']}: every answer was an error"
    if row["held"] and row["interval_min_ms"] != row["interval_max_ms"]:
        yield f"{row['phase']}: from {row['interval_min_ms']} to {row['interval_max_ms']} ms, not the one that was held"
    if not row["held"] and (row["interval_max_ms"] or 0) <= (first["interval_max_ms"] or 0):
        yield f"{row['phase']}: Hefery chose the protective interval all through: `hefery-agent status` says why"


def act_time(moment_ms):
    """Return a moment as people and Flux write it."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds")


class FilterModule:
    """What Ansible asks of this file."""

    def filters(self):
        """Return the filters by their names."""
        return {function.__name__: function for function in (act_load, act_report, act_report_table, act_time)}
