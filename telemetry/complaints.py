"""What is wrong with a configuration: in, pydantic's errors; out, sentences that name the key and the remedy."""

import reprlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails


def sentences(kind: type[BaseModel], error: ValidationError) -> list[str]:
    """One sentence for every problem of a file that should be of this `kind`."""
    return [_sentence(kind, problem) for problem in error.errors(include_url=False)]


def _sentence(kind: type[BaseModel], problem: ErrorDetails) -> str:
    keys, fields, here = _place(kind, problem["loc"])
    key, said = ".".join(keys), problem["msg"]
    match problem["type"]:
        case "missing":
            return f"{key} is missing; add it{_meaning(fields, keys)}"
        case "extra_forbidden":
            return f"{key} is not a known key; {_nearest(keys[-1], fields)}"
        case "union_tag_not_found" | "union_tag_invalid":
            return f"{key}.kind should be one of {', '.join(repr(tag) for model in here for tag in _tags(model))}"
        case "value_error":
            return ": ".join(filter(None, [key, str(problem["ctx"]["error"])]))
        case "model_type" | "model_attributes_type":
            wish = "it should be a table"
        case "path_type":
            wish = "it should be a path, as text"
        case _:
            wish = f"it {said.partition(' ')[2]}" if " should " in said else said  # it begins with "Input", "String"
    return f"{key} is {reprlib.repr(problem['input'])}; {wish}{_meaning(fields, keys)}"


def _place(
    kind: type[BaseModel], location: Sequence[str | int]
) -> tuple[list[str], Mapping[str, FieldInfo], Sequence[type[BaseModel]]]:
    """The keys as the file has them, the fields known beside the last key, and what the last key may hold."""
    keys: list[str] = []
    here, fields = [kind], dict(kind.model_fields)
    for part in location:
        if chosen := [model for model in here if part in _tags(model)]:
            here = chosen  # the variant of a section: pydantic names it, the file does not
        else:
            keys.append(str(part))
            fields = {name: field for model in here for name, field in model.model_fields.items()}
            here = _models(fields[part].annotation) if part in fields else here
    return keys, fields, here


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _meaning(fields: Mapping[str, FieldInfo], keys: Sequence[str]) -> str:
    description = fields[keys[-1]].description if keys and keys[-1] in fields else None
    return f" ({description.rstrip('.')})" if description else ""


def _nearest(key: str, fields: Mapping[str, FieldInfo]) -> str:
    near = get_close_matches(key, fields, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
