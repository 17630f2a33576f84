"""Every default and its reason: in, the settings' own descriptions; out, docs/defaults.md on standard output."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from itertools import pairwise
from typing import Any, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from agent.settings import AgentSettings
from failover.settings import RemusSettings
from predictor.model import Recipe
from predictor.series import LEAST_DEVIATIONS
from predictor.settings import PredictorSettings
from predictor.symbols import LARGEST_DEPARTURE, SIGMA_CUT, SIGMA_FLOOR_SHARE, TREND_CUTS, Averaging
from telemetry.settings import Section

_HEAD = """\
# Every default and its reason

`make docs` writes this file from the descriptions in the code. What stands under a file's name can be set there
([agent.toml](examples/agent.toml), [predictor.toml](examples/predictor.toml)); the last table is part of the method.
"""
_METHOD = (
    ("cuts of a metric", SIGMA_CUT, "Standard deviations either side of the mean; 1, means and terciles tell less."),
    ("cuts of the trend", TREND_CUTS, "Of the largest |fast - slow average|, in standard deviations."),
    ("least deviation", SIGMA_FLOOR_SHARE, "Of the mean: a metric that hardly moved would else cry at a breath."),
    (
        "and at least",
        LEAST_DEVIATIONS,
        "Of CPU and memory (ratios), network (bytes/s), disk (ops/s): an idle domain's first packet is no news.",
    ),
    (
        "largest departure",
        LARGEST_DEPARTURE,
        "Standard deviations: one absurd value must not rule the averages for long.",
    ),
    ("weight of the fast average", Averaging.fast, "Follows a change within some three steps."),
    ("weight of the slow average", Averaging.slow, "Remembers some sixty, so that the two part when a metric moves."),
    ("weight of the surprisal", Averaging.surprisal, "One rare symbol is no news, several are."),
    ("pseudo-count", Recipe.pseudo_count, "Without it one symbol never seen in training stops the filter."),
    ("least probability of a symbol", Recipe.emission_floor, "The same, where many counts outweigh the pseudo-count."),
    ("EM tolerance", Recipe.tolerance, "Training ends when no probability moves by more: the paper's 1 %."),
    ("EM iterations", Recipe.max_iterations, "At most; it seldom takes so many."),
)


def document() -> str:
    """The whole of docs/defaults.md."""
    parts = [_HEAD]
    for file, settings in (("agent.toml", AgentSettings), ("predictor.toml", PredictorSettings)):
        parts += [f"## {file}", *_sections(settings, "", "")]
    parts += ["## remus.toml", *_tables(RemusSettings)]
    parts += ["## The method", _table("what", ((name, _written(value), why) for name, value, why in _METHOD))]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _sections(section: type[Section], key: str, heading: str) -> Iterator[str]:
    """A section's heading, meaning and table; then those of the sections below it."""
    fields = section.model_fields
    below = {name: _sections_in(field.annotation) for name, field in fields.items()}
    rows = [
        (f"`{name}`", _default(field), field.description or "") for name, field in fields.items() if not below[name]
    ]
    yield f"{heading}\n{section.__doc__}" if key else ""
    yield _table("key", rows) if rows else ""
    for name, kinds in below.items():
        for kind in kinds:
            full = f"{key}.{name}" if key else name
            yield from _sections(kind, full, _heading(full, fields[name], kind))


def _heading(key: str, field: FieldInfo, kind: type[Section]) -> str:
    """As TOML writes it; where there is a choice, with the kind that is meant."""
    choice = kind.model_fields.get("kind")
    which = f" where `kind` is {_written(get_args(choice.annotation)[0])}" if choice else ""
    return (f"### `[[{key}]]`" if "tuple" in str(field.annotation) else f"### `[{key}]`") + which


def _tables(settings: type) -> Iterator[str]:
    """The same of dataclasses, in which a text under each field says why."""
    for name, kind in get_type_hints(settings).items():
        table, *_ = get_args(kind) or (kind,)  # of a tuple of them, or of one that may be left out
        why = _texts_under_fields(table)
        rows = ((f"`{one.name}`", _required_or(one.default), why.get(one.name, "")) for one in fields(table))
        yield (f"### `[[{name}]]`" if get_origin(kind) is tuple else f"### `[{name}]`") + f"\n{inspect.getdoc(table)}"
        yield _table("key", rows)


def _texts_under_fields(kind: type) -> dict[str, str]:
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        ast.unparse(field.target): " ".join(str(ast.literal_eval(text.value)).split())
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def _required_or(default: object) -> str:
    return "required" if default is MISSING else _written(default)


def _sections_in(annotation: Any) -> list[type[Section]]:
    """The sections that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in get_args(annotation) for section in _sections_in(argument)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "found out" if field.default_factory else _written(field.default)


def _written(value: object) -> str:
    """A value as TOML writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case int():
            return f"`{value:_}`" if value > 9999 else f"`{value}`"
        case float():
            return f"`{value:g}`"
        case tuple():
            return "`[" + ", ".join(_written(one).strip("`") for one in value) + "]`"
        case _:
            return f'`"{value}"`'


def _table(first: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [(first, "default", "why"), ("---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    print(document(), end="")
