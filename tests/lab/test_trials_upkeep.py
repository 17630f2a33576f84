import subprocess
from pathlib import Path
from typing import Any

from lab.trials import grafana_stand_in
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


def test_the_stand_in_for_grafana_is_unpacked_and_runs_as_grafana_does(tmp_path: Path) -> None:
    grafana_stand_in.pack(tmp_path / "made.tar.gz")
    subprocess.run(["tar", "-xzf", "made.tar.gz", "--strip-components=1"], cwd=tmp_path, check=True)
    words = ["bin/grafana", "server", f"--homepath={tmp_path}", "--config=/nowhere/grafana.ini"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "/nowhere/grafana.ini" in done.stderr.splitlines()[-1]
