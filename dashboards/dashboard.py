"""Dashboards: in, rows of panels; out, Grafana's Classic JSON, laid out on its 24 columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.flux import Flux, any_of, array, points
from dashboards.look import BLUE, GREEN, ORANGE, PURPLE, RED, YELLOW, Json
from dashboards.panel import SOURCE, Panel
from telemetry.schema import NOBODY

COLUMNS: Final = 24
_SCHEMA_VERSION: Final = 39
_TAG: Final = "hefery"


@dataclass(frozen=True)
class Row:
    """Panels side by side, all of one height; with a title under a heading of its own."""

    height: int
    panels: tuple[Panel, ...]
    title: str = ""


@dataclass(frozen=True)
class Variable:
    """What an operator chooses; its values come from the store."""

    name: str
    label: str
    query: Flux
    many: bool = False

    def json(self) -> Json:
        """Grafana's form; `current` is chosen by Grafana when the dashboard is opened."""
        return {
            "type": "query",
            "name": self.name,
            "label": self.label,
            "datasource": SOURCE,
            "query": {"refId": self.name, "query": self.query.query},
            "refresh": 2,
            "sort": 1,
            "multi": self.many,
            "includeAll": self.many,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]} if self.many else {},
        }


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; its uid is `hefery-` and its name."""

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-3h"
    marks: tuple[str, ...] = ("Failover", "Protection lost", "Protected")

    def panel_id(self, title: str) -> int:
        """The number of the first panel of that title."""
        return next(int(panel["id"]) for panel in _placed(self.rows) if panel["title"] == title)

    def json(self) -> Json:
        """Grafana's form."""
        return {
            "uid": uid(self.name),
            "title": self.title,
            "description": self.description,
            "tags": [_TAG],
            "schemaVersion": _SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.since, "to": "now"},
            "refresh": "10s",
            "templating": {"list": [_source_variable(), *(variable.json() for variable in self.variables)]},
            "annotations": {"list": [annotation.json(self) for annotation in ANNOTATIONS]},
            "links": [_LINKS],
            "panels": list(_placed(self.rows)),
        }


def uid(name: str) -> str:
    """The fixed uid that links name."""
    return f"hefery-{name}"


def link(name: str, title: str, variable: str) -> Json:
    """A link from a value to the dashboard where it is chosen, for the same time."""
    url = f"/d/{uid(name)}?var-{variable}=${{__value.raw:percentencode}}&${{__url_time_range}}"
    return {"title": title, "url": url, "targetBlank": False}


def tag_values(measurement: str, field: str, tag: str) -> Flux:
    """The values of a tag in the time shown."""
    return points(measurement, field).pipe(
        "last()", f"keep(columns: {array([tag])})", "group()", f'distinct(column: "{tag}")', columns=("_value",)
    )


@dataclass(frozen=True)
class Annotation:
    """What is drawn over all graphs; `events` has a domain, and the columns by which Grafana knows an annotation."""

    title: str
    color: str
    events: Flux

    def json(self, board: "Dashboard") -> Json:
        """Grafana's form."""
        return {
            "name": self.title,
            "enable": self.title in board.marks,
            "iconColor": self.color,
            "datasource": SOURCE,
            "target": {"refId": "events", "query": self.flux(board.variables).query},
        }

    def flux(self, variables: Sequence[Variable]) -> Flux:
        """Where a domain is chosen, what concerns it, or all domains."""
        chosen = (
            [f"filter(fn: (r) => r.domain =~ /^({NOBODY}|${{domain:regex}})$/)"] if _has(variables, "domain") else []
        )
        return self.events.pipe(*chosen).drop("domain")


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


def _has(variables: Sequence[Variable], name: str) -> bool:
    return any(variable.name == name for variable in variables)


ANNOTATIONS: Final = (
    Annotation("Failover", RED, _happened("takeover", "handed_over", "stands_still")),
    Annotation("Protection lost", ORANGE, _happened("unprotected", "ended", "given_up")),
    Annotation("Protected", GREEN, _happened("protected")),
    Annotation("Interval changed", BLUE, _happened("applied")),
    Annotation("Model changed", PURPLE, _happened("model")),
    Annotation("Incident", YELLOW, _incidents()),
)

_LINKS: Final[Json] = {
    "type": "dashboards",
    "title": "Hefery",
    "tags": [_TAG],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
}


def _source_variable() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Store",
        "query": "influxdb",
        "current": {"text": "Hefery", "value": "hefery"},
        "hide": 2,
    }


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    """Each panel under the row before, from left to right."""
    number, y = 1, 0
    for row in rows:
        if row.title:
            place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
            number, y = number + 1, y + 1
        x = 0
        for panel in row.panels:
            yield panel.json(number, x, y, row.height)
            number, x = number + 1, x + panel.width
        y += row.height
