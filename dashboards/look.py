"""How quantities look: in, the schema's units; out, Grafana's units, colours with one meaning, and field overrides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from telemetry.schema import SCHEMA

Json = dict[str, Any]

GREEN: Final = "green"
"""All is well."""
YELLOW: Final = "yellow"
"""Hefery waits and sees."""
ORANGE: Final = "orange"
"""Hefery is doing something about it."""
RED: Final = "red"
"""A person has to do something."""
BLUE: Final = "blue"
"""A quantity, without judgement."""
PURPLE: Final = "purple"
"""A second quantity beside it."""
GREY: Final = "#8e8e8e"
"""Nothing is known, or a bound to compare with."""

UNITS: Final[Mapping[str, str]] = {
    "ratio": "percentunit",
    "probability": "percentunit",
    "bytes/s": "Bps",
    "ops/s": "iops",
    "ms": "ms",
    "s": "s",
    "1/s": "suffix: /s",
    "bytes": "bytes",
    "count": "short",
    "decades": "none",
    "level": "none",
    "flag": "none",
    "text": "string",
    "nats/step": "suffix: nats/step",
}
"""Grafana's name for each unit of the schema."""

Step = tuple[float | None, str]


def unit_of(measurement: str, name: str) -> str:
    """Grafana's unit for a field of the schema."""
    return UNITS[SCHEMA[measurement].fields[name].unit]


def thresholds(*steps: Step) -> Json:
    """Colours from a value on; the first has no bound."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def words(**texts: tuple[str, str]) -> list[Json]:
    """Mappings of values to words and colours; a number's name is written as _1."""
    options = {
        value.removeprefix("_"): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [{"type": "value", "options": options}]


def unknown(text: str = "nothing known") -> list[Json]:
    """What stands, in grey, where there is no value: green would be a lie."""
    return [{"type": "special", "options": {"match": "null+nan", "result": {"text": text, "color": GREY, "index": 99}}}]


@dataclass(frozen=True)
class Look:
    """One field of a panel: what it is called there, and its options by Grafana's paths."""

    name: str
    title: str
    unit: str | None = None
    color: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def override(self) -> Json:
        """Grafana's form."""
        properties: Json = {"displayName": self.title}
        if self.unit:
            properties["unit"] = self.unit
        if self.color:
            properties["color"] = {"mode": "fixed", "fixedColor": self.color}
        properties |= self.options
        return {
            "matcher": {"id": "byName", "options": self.name},
            "properties": [{"id": path, "value": value} for path, value in properties.items()],
        }


def line(measurement: str, name: str, title: str, color: str, **options: Any) -> Look:
    """A curve of a field, with its unit; options are those of Grafana's graph fields."""
    paths = {f"custom.{path}": value for path, value in options.items()}
    return Look(name, title, unit_of(measurement, name), color, paths)


def bound(measurement: str, name: str, title: str, color: str) -> Look:
    """A curve that others are compared with."""
    return line(measurement, name, title, color, lineStyle={"fill": "dash", "dash": [8, 6]}, lineWidth=1, fillOpacity=0)


def cell(name: str, title: str, unit: str, width: int, steps: Sequence[Step] = (), **options: Any) -> Look:
    """A column of a table; with `steps` its background tells where a value lies between them."""
    paths: Json = {"custom.width": width} | {path.replace("__", "."): value for path, value in options.items()}
    if steps or "mappings" in options:
        paths["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        paths["thresholds"] = thresholds(*(steps or [(None, "transparent")]))
    return Look(name, title, unit, None, paths)
