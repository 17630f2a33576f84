"""Panels: in, queries and looks; out, Grafana's Classic JSON for each kind of panel, without its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, Final, Literal

from dashboards.flux import Flux
from dashboards.look import Json, Look, Step, thresholds, unknown

SOURCE: Final[Json] = {"type": "influxdb", "uid": "${datasource}"}
_LEAST_WINDOW: Final = "10s"
"""Two steps of the predictor: a shorter window would show gaps where there are none."""
GAP_MS: Final = 60_000
"""Curves go on over shorter gaps: points come late now and then. Longer ones are news."""


@dataclass(frozen=True)
class Panel:
    """A panel of `width` of the 24 columns."""

    kind: Literal["stat", "timeseries", "state-timeline", "table"]
    title: str
    description: str
    width: int
    queries: tuple[Flux, ...]
    unit: str
    options: Json
    defaults: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    looks: tuple[Look, ...] = ()
    transformations: tuple[Json, ...] = ()
    least_window: str = _LEAST_WINDOW

    def json(self, number: int, x: int, y: int, height: int) -> Json:
        """Grafana's form, at its place."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": height},
            "datasource": SOURCE,
            "interval": self.least_window,
            "targets": [
                {"refId": letter, "datasource": SOURCE, "query": flux.query}
                for letter, flux in zip(ascii_uppercase, self.queries, strict=False)
            ],
            "transformations": list(self.transformations),
            "fieldConfig": {
                "defaults": {"unit": self.unit, **self.defaults, **({"custom": self.custom} if self.custom else {})},
                "overrides": [look.override() for look in self.looks],
            },
            "options": self.options,
        }


def stat(
    title: str,
    description: str,
    query: Flux,
    unit: str,
    steps: Sequence[Step],
    *,
    width: int = 4,
    mappings: Sequence[Json] = (),
    words: bool = False,
    **defaults: Any,
) -> Panel:
    """One number, or a word where `words`, that fills its panel; its colour says what to think of it."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": "/.*/" if words else ""},
        "colorMode": "background",
        "graphMode": "none",
        "textMode": "value",
        "orientation": "auto",
        "justifyMode": "center",
    }
    shown = {"thresholds": thresholds(*steps), "mappings": [*mappings, *unknown()], **defaults}
    return Panel("stat", title, description, width, (query,), unit, options, shown)


def graph(
    title: str,
    description: str,
    queries: Sequence[Flux],
    unit: str,
    looks: Sequence[Look] = (),
    *,
    width: int = 12,
    name: str | None = None,
    legend: Literal["list", "table"] = "list",
    custom: Mapping[str, Any] = {},
    **defaults: Any,
) -> Panel:
    """Curves over time; `name` names them where `looks` does not."""
    calcs = ["lastNotNull", "max"] if legend == "table" else []
    options = {
        "legend": {"showLegend": True, "displayMode": legend, "placement": "bottom", "calcs": calcs},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    drawn = {
        "lineWidth": 2,
        "fillOpacity": 0 if name else 8,
        "showPoints": "auto",
        "pointSize": 4,
        "spanNulls": GAP_MS,
        **custom,
    }
    shown = {"min": 0, **({"displayName": name} if name else {})}
    shown |= {option: value for option, value in defaults.items() if value is not None}
    return Panel("timeseries", title, description, width, tuple(queries), unit, options, shown, drawn, tuple(looks))


def timeline(
    title: str,
    description: str,
    queries: Sequence[Flux],
    unit: str,
    *,
    name: str | None = None,
    width: int = 12,
    mappings: Sequence[Json] = (),
    steps: Sequence[Step] = (),
    looks: Sequence[Look] = (),
) -> Panel:
    """States over time, a row for each series."""
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "rowHeight": 0.8,
        "alignValue": "left",
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    shown: Json = {"color": {"mode": "thresholds"}, "mappings": list(mappings)}
    shown |= {"displayName": name} if name else {}
    shown["thresholds"] = thresholds(*(steps or [(None, "green")]))
    custom = {"fillOpacity": 85, "lineWidth": 0}
    return Panel(
        "state-timeline", title, description, width, tuple(queries), unit, options, shown, custom, tuple(looks)
    )


def table(
    title: str,
    description: str,
    queries: Sequence[Flux],
    columns: Sequence[Look],
    *,
    width: int = 24,
    join: str | None = None,
    sort: tuple[str, bool] | None = None,
) -> Panel:
    """Rows with `columns`, in their order; `join` is the column that the queries' answers have in common.

    `sort` is the title of the column to sort by, and whether the largest comes first.
    """
    order = {"indexByName": {look.name: index for index, look in enumerate(columns)}}
    joined = [{"id": "joinByField", "options": {"byField": join, "mode": "outer"}}] if join else []
    transformations = (*joined, {"id": "organize", "options": order})
    options: Json = {"showHeader": True, "cellHeight": "sm"}
    if sort:
        options["sortBy"] = [{"displayName": sort[0], "desc": sort[1]}]
    shown = {"noValue": "", "thresholds": thresholds((None, "text"))}
    custom = {"align": "left", "inspect": False}
    return Panel(
        "table",
        title,
        description,
        width,
        tuple(queries),
        "none",
        options,
        shown,
        custom,
        tuple(columns),
        transformations,
    )
