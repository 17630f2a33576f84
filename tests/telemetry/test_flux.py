"""Queries name their columns, bound their time, and have no value of anybody's in their text."""

import pytest

from telemetry import flux
from telemetry.store import Grid

EVIL = '"] or true) //'
WHERE = {"host": EVIL}
QUERIES = [
    flux.window(EVIL, "domain", Grid(20, 10, 3), fields=["cpu_ratio", EVIL], by=["domain"], where=WHERE),
    flux.latest(EVIL, "domain", 20, where=WHERE),
    flux.events(EVIL, "domain", 20, 50, where=WHERE),
]


@pytest.mark.parametrize("query", QUERIES)
def test_values_are_bound_not_written(query: flux.Query) -> None:
    assert EVIL not in query.text
    assert query.parameters["bucket"] == query.parameters["where_host"] == EVIL
    assert 'r["host"] == where_host' in query.text


@pytest.mark.parametrize("query", QUERIES)
def test_time_is_bounded_and_columns_are_named(query: flux.Query) -> None:
    assert "range(start: time(v: start_ns), stop: time(v: stop_ns))" in query.text
    assert query.parameters["start_ns"] == 20
    assert query.text.endswith("keep(columns: columns)")
    assert query.parameters["columns"] == list(query.columns)
    assert query.columns[-3:] == ("_field", "_time", "_value")


def test_a_window_asks_for_its_fields_alone_in_rows() -> None:
    window = QUERIES[0]
    assert "filter(fn: (r) => r._field == field0 or r._field == field1)" in window.text
    assert [window.parameters[name] for name in ("field0", "field1")] == ["cpu_ratio", EVIL]
    assert window.parameters["row"] == ["domain", "_field"]
    assert (window.parameters["step_ns"], window.parameters["stop_ns"]) == (10, 50)


def test_points_come_with_all_their_tags() -> None:
    assert QUERIES[1].columns == QUERIES[2].columns == ("host", "domain", "_field", "_time", "_value")
