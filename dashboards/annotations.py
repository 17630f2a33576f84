"""What is drawn over all graphs: out, Grafana's annotations, each a query for events or incidents."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from dashboards.flux import Flux, any_of, points
from dashboards.look import BLUE, GREEN, ORANGE, PURPLE, RED, YELLOW, Json
from dashboards.panel import SOURCE
from telemetry.schema import NOBODY


@dataclass(frozen=True)
class Annotation:
    """What is drawn over all graphs; `events` has a domain, and the columns by which Grafana knows an annotation."""

    title: str
    color: str
    events: Flux

    def json(self, enabled: Collection[str], chosen: Collection[str]) -> Json:
        """Grafana's form."""
        return {
            "name": self.title,
            "enable": self.title in enabled,
            "iconColor": self.color,
            "datasource": SOURCE,
            "target": {"refId": "events", "query": self.flux(chosen).query},
        }

    def flux(self, chosen: Collection[str]) -> Flux:
        """Where a domain is chosen, what concerns it, or all domains."""
        steps = [f"filter(fn: (r) => r.domain =~ /^({NOBODY}|${{domain:regex}})$/)"] if "domain" in chosen else []
        return self.events.pipe(*steps).drop("domain")


def _happened(*kinds: str) -> Flux:
    return points("event", "text").pipe(
        f"filter(fn: (r) => {any_of('kind', kinds)})",
        "group()",
        "map(fn: (r) => ({domain: r.domain, time: r._time, title: r.kind,"
        ' text: r.domain + ": " + r._value, tags: r.host}))',
        columns=("domain", "time", "title", "text", "tags"),
    )


def _incidents() -> Flux:
    """They last from `time` to `timeEnd`: those without an end go on."""
    return points("incident", "level", "text", "end_ns").pipe(
        "toString()",
        "group()",
        'pivot(rowKey: ["_time", "domain", "id"], columnKey: ["_field"], valueColumn: "_value")',
        'map(fn: (r) => ({domain: r.domain, time: r._time, title: r.level, text: r.domain + ": " + r.text, tags: r.id,'
        " timeEnd: if exists r.end_ns then time(v: int(v: r.end_ns)) else v.timeRangeStop}))",
        columns=("domain", "time", "timeEnd", "title", "text", "tags"),
    )


ANNOTATIONS: Final = (
    Annotation("Failover", RED, _happened("takeover", "handed_over", "stands_still")),
    Annotation("Protection lost", ORANGE, _happened("unprotected", "ended", "given_up")),
    Annotation("Protected", GREEN, _happened("protected")),
    Annotation("Interval changed", BLUE, _happened("applied")),
    Annotation("Model changed", PURPLE, _happened("model")),
    Annotation("Incident", YELLOW, _incidents()),
)
