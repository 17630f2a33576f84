"""The schema says everything about every quantity, in the forms that stores can hold."""

import re
from typing import get_args

import pytest

from telemetry.point import Point
from telemetry.schema import NOBODY, SCHEMA, Bucket, Kind, Measurement

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UNIT_OF_NAME = {"_per_s": "/s", "_ms": "ms", "_ns": "ns", "_s": "s", "_bytes": "bytes", "_ratio": "ratio"}

measurements = pytest.mark.parametrize("measurement", SCHEMA.values(), ids=SCHEMA)


@measurements
def test_names_are_snake_case_and_none_is_tag_and_field(measurement: Measurement) -> None:
    names = [measurement.name, *measurement.tags, *measurement.fields]
    assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []
    assert not set(measurement.tags) & set(measurement.fields)


@measurements
def test_everything_has_a_meaning_in_a_sentence(measurement: Measurement) -> None:
    assert measurement.tags
    assert measurement.fields
    for meaning in (measurement.meaning, *(field.meaning for field in measurement.fields.values())):
        assert re.fullmatch(r"\S.+\.", meaning)


@measurements
def test_units_fit_kinds_and_names(measurement: Measurement) -> None:
    for name, field in measurement.fields.items():
        assert field.unit
        assert field.kind in get_args(Kind)
        assert (field.unit == "text") == (field.kind == "str")
        assert (field.unit == "flag") == (field.kind == "bool")
        assert field.unit.endswith(next((unit for end, unit in UNIT_OF_NAME.items() if name.endswith(end)), ""))


def test_every_bucket_is_used() -> None:
    assert {measurement.bucket for measurement in SCHEMA.values()} == set(get_args(Bucket))


def test_the_schema_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        SCHEMA["domain"] = SCHEMA["host"]  # type: ignore[index] # that it is refused is the test
    with pytest.raises(TypeError, match="does not support item assignment"):
        SCHEMA["domain"].fields["x"] = SCHEMA["host"].fields["cpu_ratio"]  # type: ignore[index] # as above


def test_nobody_can_be_a_tag() -> None:
    assert Point("event", dict.fromkeys(("kind", "domain", "host"), NOBODY), {"text": "x"}, 1).tags["host"] == NOBODY
