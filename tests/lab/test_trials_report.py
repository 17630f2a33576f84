import json
from pathlib import Path

import pytest

from lab.trials.report import Report, Row, Run, load, save

RUN = Run("abc", 1, {"cores": 2}, "2026-01-01T00:00:00Z")
ROW = Row(1, (), 2.5, {"first_answer_s": 3.1})


def test_what_was_saved_is_loaded_by_the_same_commit_and_seed_alone(tmp_path: Path) -> None:
    path = tmp_path / "lab" / "report.json"
    report = Report(RUN)
    report.add("failover", ROW)
    save(path, report, {"failover": {"trials": 1}})
    assert load(path, RUN).rows == {"failover": [ROW]}
    assert load(path, Run("def", 1, {}, "")).rows == {}
    assert load(path, Run("abc", 2, {}, "")).rows == {}
    said = json.loads(path.read_text())
    assert {key: said[key] for key in ("commit", "seed", "failover")} == {
        "commit": "abc",
        "seed": 1,
        "failover": {"trials": 1},
    }


def test_a_trial_made_again_takes_the_place_of_the_other() -> None:
    report = Report(RUN)
    for row in (Row(2, (), 1, {}), Row(1, ("lost",), 1, {}), Row(2, ("no answer",), 3, {})):
        report.add("failover", row)
    assert [(row.trial, row.passed) for row in report.rows["failover"]] == [(1, False), (2, False)]
    assert report.has("failover", 2)
    assert not report.has("failover", 3)


def test_without_a_report_there_are_no_rows(tmp_path: Path) -> None:
    assert load(tmp_path / "report.json", RUN).rows == {}


def test_a_file_that_is_no_report_is_not_overwritten_unseen(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    for text in ("{", "{}", '{"commit": "abc", "seed": 1, "rows": {"failover": [{}]}}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="not a report of trials"):
            load(path, RUN)
