"""Dashboards: in, rows of panels; out, Grafana's Classic JSON, laid out on its 24 columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.annotations import ANNOTATIONS
from dashboards.flux import Flux, array, points
from dashboards.look import Json
from dashboards.panel import SOURCE, Panel

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
    refresh: str = "10s"
    marks: tuple[str, ...] = ("Failover", "Protection lost", "Protected")

    @property
    def chosen(self) -> frozenset[str]:
        """The names of what an operator chooses."""
        return frozenset(variable.name for variable in self.variables)

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
            "refresh": self.refresh,
            "templating": {"list": [_source_variable(), *(variable.json() for variable in self.variables)]},
            "annotations": {"list": [annotation.json(self.marks, self.chosen) for annotation in ANNOTATIONS]},
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
