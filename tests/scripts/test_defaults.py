"""docs/defaults.md says what the code says."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_table_is_current_and_leaves_no_reason_out() -> None:
    document: str = runpy.run_path(str(ROOT / "scripts" / "defaults.py"))["document"]()
    assert (ROOT / "docs" / "defaults.md").read_text(encoding="utf-8") == document, "it is out of date: make docs"
    for file in ("agent.toml", "predictor.toml", "remus.toml"):
        assert f"\n## {file}\n" in document
    rows = [line for line in document.splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []
