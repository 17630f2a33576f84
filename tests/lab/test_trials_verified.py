from typing import Any

from lab.trials.verified import red

NO_LOAD = "no load client measured in this time"


def row(part: str, found: str, remedy: str = "", *, ok: bool = False) -> dict[str, Any]:
    return {"part": part, "check": "one", "ok": ok, "found": found, "remedy": remedy}


ROWS = [
    row("panel", "0 of 2 queries have rows", NO_LOAD),
    row("panel", "0 of 1 queries have rows", "no agent tells of its host"),
    row("panel", "2 of 2 queries have rows", ok=True),
    row("panel", "500: compilation failed", NO_LOAD),
    row("alert", "fires for web1"),
    row("age", "nothing in a day", NO_LOAD),
]
ALWAYS = [
    "panel one: 0 of 1 queries have rows",
    "panel one: 500: compilation failed",
    "alert one: fires for web1",
    "age one: nothing in a day",
]


def test_a_panel_may_be_empty_for_a_reason_that_is_excused() -> None:
    assert red(ROWS, ["no load client measured", "folds its points"]) == ALWAYS


def test_without_an_excuse_every_panel_has_something_to_show() -> None:
    assert red(ROWS) == ["panel one: 0 of 2 queries have rows", *ALWAYS]
