from typing import Any

from lab.trials.parts.upkeep import red


def row(part: str, found: str, *, ok: bool = False) -> dict[str, Any]:
    return {"part": part, "check": "one", "ok": ok, "found": found, "remedy": ""}


def test_only_a_panel_without_rows_may_be_red() -> None:
    rows = [
        row("panel", "0 of 2 queries have rows"),
        row("panel", "2 of 2 queries have rows", ok=True),
        row("panel", "500: compilation failed"),
        row("alert", "fires for web1"),
        row("age", "nothing in a day"),
        row("token", "not so: agent writes decisions"),
    ]
    assert red(rows) == [
        "panel one: 500: compilation failed",
        "alert one: fires for web1",
        "age one: nothing in a day",
        "token one: not so: agent writes decisions",
    ]
