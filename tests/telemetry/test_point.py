"""A point that does not fit the schema cannot be made; what is unknown is left out by name."""

import math
from collections.abc import Mapping

import pytest

from telemetry.point import END_OF_TIME_NS, MAX_TEXT_LENGTH, Point, PointError, Value

TAGS = {"host": "a", "domain": "vm"}
T = 1_700_000_000 * 10**9


def domain(fields: Mapping[str, Value], tags: Mapping[str, str] | None = None, time_ns: int = T) -> Point:
    return Point("domain", tags or TAGS, fields, time_ns)


def test_a_point_is_what_it_was_made_of() -> None:
    given = {"cpu_ratio": 0.5}
    point = domain(given)
    given["cpu_ratio"] = 0.9
    assert point == domain({"cpu_ratio": 0.5}, dict(reversed(TAGS.items())))
    assert point.key == (("domain", "vm"), ("host", "a"))
    with pytest.raises(TypeError, match="does not support item assignment"):
        point.fields["cpu_ratio"] = 0.9  # type: ignore[index] # that it is refused is the test


def test_of_leaves_out_what_is_not_known() -> None:
    fields = {"cpu_ratio": 0.5, "memory_ratio": None, "network_bytes_per_s": math.nan, "disk_ops_per_s": math.inf}
    assert Point.of("domain", TAGS, fields, T) == domain({"cpu_ratio": 0.5})
    assert Point.of("domain", TAGS, {"cpu_ratio": None, "memory_ratio": math.nan}, T) is None


def test_of_does_not_leave_out_what_is_wrong() -> None:
    with pytest.raises(PointError, match="domain has no field 'cpu'"):
        Point.of("domain", TAGS, {"cpu": 0.5}, T)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1, "0.5", True, None])
def test_refuses_a_value_that_is_not_a_finite_float(value: Value) -> None:
    with pytest.raises(PointError, match=f"domain: field cpu_ratio is {value!r}; it must be a finite float"):
        domain({"cpu_ratio": value})


@pytest.mark.parametrize("value", [1.0, True, "1", 2**63, -(2**63) - 1])
def test_refuses_a_value_that_is_not_an_int_of_64_bits(value: Value) -> None:
    with pytest.raises(PointError, match="it must be an int of 64 bits"):
        Point("decision", {"domain": "vm"}, {"sequence": value}, T)


@pytest.mark.parametrize("value", [1.0, 1, b"r", "\ud800", "x" * (MAX_TEXT_LENGTH + 1)])
def test_refuses_a_value_that_is_not_text_in_unicode(value: Value) -> None:
    with pytest.raises(PointError, match="it must be Unicode text of at most 65,536 characters"):
        domain({"state": value})


@pytest.mark.parametrize("value", [1, "true"])
def test_refuses_a_value_that_is_not_a_flag(value: Value) -> None:
    with pytest.raises(PointError, match="it must be True or False"):
        Point("checkpoint", TAGS, {"protected": value}, T)


def test_refuses_names_that_are_not_in_the_schema() -> None:
    with pytest.raises(PointError, match="measurement 'domian' is not in the schema; known are host, domain"):
        Point("domian", TAGS, {"cpu_ratio": 0.5}, T)
    with pytest.raises(PointError, match="domain has no field 'cpu'; known are cpu_ratio, memory_ratio"):
        domain({"cpu": 0.5})
    with pytest.raises(PointError, match="domain is tagged by host, domain, not by host"):
        domain({"cpu_ratio": 0.5}, {"host": "a"})


@pytest.mark.parametrize("text", ["", "a\nb", "a\x00", "a\\", "\ud800"])
def test_refuses_tags_that_line_protocol_cannot_tell(text: str) -> None:
    with pytest.raises(PointError, match=r"domain: tag host is .*; it must be printable text without a backslash"):
        domain({"cpu_ratio": 0.5}, {"host": text, "domain": "vm"})


def test_refuses_a_point_without_fields() -> None:
    with pytest.raises(PointError, match="domain: a point needs at least one field"):
        domain({})


@pytest.mark.parametrize("time_ns", [-1, 0, END_OF_TIME_NS])
def test_refuses_times_that_no_store_has(time_ns: int) -> None:
    with pytest.raises(PointError, match=f"domain: time {time_ns} is not a time from 1970 to 2262 in nanoseconds"):
        domain({"cpu_ratio": 0.5}, time_ns=time_ns)


def test_takes_the_first_and_the_last_time() -> None:
    assert domain({"cpu_ratio": 0.5}, time_ns=1).time_ns == 1
    assert domain({"cpu_ratio": 0.5}, time_ns=END_OF_TIME_NS - 1).time_ns == END_OF_TIME_NS - 1
