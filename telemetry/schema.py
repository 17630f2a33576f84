"""The telemetry schema as data: every measurement with its tags, fields, units and meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["float", "int", "str", "bool"]
Bucket = Literal["telemetry", "decisions", "responses", "events"]


@dataclass(frozen=True)
class Field:
    """A quantity: its `unit` (`ratio` is 0..1), the `kind` of its values, and one sentence on what it means."""

    unit: str
    meaning: str
    kind: Kind = "float"


@dataclass(frozen=True)
class Measurement:
    """A table of points: in which `bucket` it lives decides who may write it and how long it is kept."""

    name: str
    meaning: str
    bucket: Bucket
    tags: tuple[str, ...]
    fields: Mapping[str, Field]

    def __post_init__(self) -> None:
        """Freeze the fields."""
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))


_METRICS = {
    "cpu_ratio": Field("ratio", "CPU used of what could be used; a guest's is of its vCPUs, over the time it ran."),
    "memory_ratio": Field("ratio", "Memory in use, seen from inside; absent where nothing inside tells it."),
    "network_bytes_per_s": Field("bytes/s", "Bytes received and sent per second, all interfaces together."),
}

_SIGNALS = {
    "evidence": "decades",
    "surprise": "decades",
    "p_failed_within": "probability",
    "p_abnormal_next": "probability",
}
_THRESHOLDS = {
    f"{signal}_{level}": Field(unit, f"From here on {signal} {effect}; absent where the policy does not ask it.")
    for signal, unit in _SIGNALS.items()
    for level, effect in (("low", "forbids to lengthen"), ("high", "protects at once"))
}

_MEASUREMENTS = (
    Measurement(
        "host",
        "The machine an agent runs on, seen by its own kernel (in dom0: dom0 alone).",
        "telemetry",
        ("host",),
        {
            **_METRICS,
            "disk_bytes_per_s": Field("bytes/s", "Bytes read and written per second, all disks together."),
            "filesystem_ratio": Field("ratio", "Space in use of the fullest of its file systems on disks."),
        },
    ),
    Measurement(
        "domain",
        "A virtual machine: the four metrics that its forecast is made from.",
        "telemetry",
        ("host", "domain"),
        {
            **_METRICS,
            "disk_ops_per_s": Field("ops/s", "Disk reads and writes per second, all disks together."),
            "state": Field("text", "State letters as xentop prints them, such as r (running) or p (paused).", "str"),
        },
    ),
    Measurement(
        "checkpoint",
        "What Remus did for a domain since the point before.",
        "telemetry",
        ("host", "domain"),
        {
            "interval_ms": Field("ms", "Interval in force: commit of a checkpoint to the start of the next."),
            "period_ms": Field("ms", "Mean time from commit to commit."),
            "pause_ms": Field("ms", "Mean time that the guest stood still for a checkpoint."),
            "pause_max_ms": Field("ms", "Longest such pause."),
            "send_ms": Field("ms", "Mean time from the guest's resumption to the commit."),
            "rate_per_s": Field("1/s", "Checkpoints per second."),
            "protected": Field("flag", "Whether replication was alive.", "bool"),
        },
    ),
    Measurement(
        "forecast",
        "The predictor's view of a domain.",
        "decisions",
        ("domain", "model"),
        {
            "p_normal": Field("probability", "P(the next state is normal)."),
            "p_abnormal": Field("probability", "P(the next state is abnormal)."),
            "p_failed": Field("probability", "P(the next state is failed)."),
            "p_failed_within": Field("probability", "P(failed at least once within the horizon)."),
            "surprise": Field("decades", "-log10 of how rare a departure this large is in the calm training data."),
            "evidence": Field("decades", "What was learned and surprise together; the default mode decides by it."),
            "load": Field("level", "Expected load level, 0 low to 2 high."),
            "horizon_s": Field("s", "How far ahead p_failed_within looks."),
        },
    ),
    Measurement(
        "decision",
        "The checkpoint interval chosen for a domain.",
        "decisions",
        ("domain",),
        {
            "interval_ms": Field("ms", "The chosen interval."),
            "reason": Field("text", "Why, in words.", "str"),
            "mode": Field("text", "Mode of the model that the forecast came from.", "str"),
            "sequence": Field("count", "Number of the decision; grows with every one.", "int"),
            "valid_for_s": Field("s", "How long the governor may act on it."),
            **_THRESHOLDS,
        },
    ),
    Measurement(
        "training",
        "One run of the training job.",
        "decisions",
        ("model",),
        {
            "accepted": Field("flag", "Whether the new model took over.", "bool"),
            "reason": Field("text", "Why it was refused or accepted, in words.", "str"),
            "steps": Field("count", "Observed steps it learned from.", "int"),
            "domains": Field("count", "Domains it learned from.", "int"),
            "heldout_log_likelihood": Field("nats/step", "Of the new model on data it had not seen."),
            "heldout_log_likelihood_before": Field("nats/step", "Of the model in force on the same data."),
            "duration_s": Field("s", "How long the training took."),
        },
    ),
    Measurement(
        "response",
        "Answers that a load client got until then, since the point before; times are of those without an error.",
        "responses",
        ("domain", "label"),
        {
            "count": Field("count", "Answers, errors among them.", "int"),
            "errors": Field("count", "Answers that were errors.", "int"),
            "mean_ms": Field("ms", "Mean response time."),
            "p50_ms": Field("ms", "Median response time."),
            "p95_ms": Field("ms", "95th percentile."),
            "p99_ms": Field("ms", "99th percentile."),
            "max_ms": Field("ms", "Longest response time."),
            "gap_ms": Field("ms", "Longest time between two answers without an error, to the last such answer."),
        },
    ),
    Measurement(
        "event",
        "Something that happened, for people to read beside the curves.",
        "events",
        ("kind", "domain", "host"),
        {"text": Field("text", "What happened, in words.", "str")},
    ),
    Measurement(
        "incident",
        "A labelled span of trouble, told by a person; training learns from it. Its time is its start.",
        "events",
        ("domain", "id"),
        {
            "level": Field("text", "abnormal or failed.", "str"),
            "end_ns": Field("ns", "Its end, UTC.", "int"),
            "text": Field("text", "What it was, in words.", "str"),
        },
    ),
    Measurement(
        "agent",
        "An agent's own health.",
        "telemetry",
        ("host",),
        {
            "cpu_ratio": Field("ratio", "CPU that the agent used, of one core."),
            "rss_bytes": Field("bytes", "Resident memory of the agent.", "int"),
            "spool_points": Field("count", "Points waiting in the spool.", "int"),
            "spool_oldest_s": Field("s", "Age of the oldest of them."),
            "sent": Field("count", "Points sent since the agent's start.", "int"),
            "dropped": Field("count", "Points dropped at the spool's bounds, ever.", "int"),
            "quarantined": Field("count", "Points the store refused, ever.", "int"),
        },
    ),
)

SCHEMA: Mapping[str, Measurement] = MappingProxyType({m.name: m for m in _MEASUREMENTS})
"""Every measurement by its name."""

NOBODY = "-"
"""The tag's text where an event concerns no one domain or host (a tag is never empty)."""
