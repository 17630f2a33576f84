from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from lab.errors import LabError
from lab.trials import shares
from lab.trials.parts import PARTS, experiment
from lab.trials.report import Row
from lab.trials.site import Site


def row(trial: int = 1, fault: str = "", **measured: Any) -> Row:
    return Row(trial, (fault,) if fault else (), 1.0, measured)


def summary(name: str, *rows: Row) -> Any:
    return PARTS[name].summary(rows)


def test_the_report_says_what_was_agreed() -> None:
    agreed = {"converge", "interval_change_ms", "forecast_to_interval_s", "failover", "stop", "doubt", "intervals"}
    assert agreed <= {part.key for part in PARTS.values()}
    assert len({part.key for part in PARTS.values()}) == len(PARTS)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("converge", {"changed_second_run", "failed"}),
        ("interval_change", {"shorten_median", "lengthen_median", "trials"}),
        ("forecast_to_interval", {"median"}),
        ("failover", {"trials", "survived", "first_answer_s_median", "shares_s_median", "live_copies_max"}),
        ("stop", {"trials", "exactly_one_copy"}),
        ("doubt", {"trials", "protected", "protected_s_max", "late_s_max"}),
        ("killed", {"trials", "guest_went_on", "silence_s_max"}),
    ],
)
def test_summaries_have_their_keys_with_rows_that_broke_and_without_any(name: str, keys: set[str]) -> None:
    assert set(summary(name)) == keys
    assert set(summary(name, row(fault="could not be made"))) == keys


def test_converge_counts_the_second_run_and_all_failures() -> None:
    rows = [
        row(1, changed=90, failed=0, unreachable=0),
        row(2, changed=2, failed=1, unreachable=0),
        row(3, changed=0, failed=0, unreachable=1),
    ]
    assert summary("converge", *rows) == {"changed_second_run": 2, "failed": 2}
    assert summary("converge", *rows[:1]) == {"changed_second_run": None, "failed": 0}
    assert summary("converge", row(fault="broke"))["failed"] == 1


def test_failover_counts_those_that_passed() -> None:
    rows = [
        row(1, first_answer_s=2.0, live_copies=1, xl_s=1.5),
        row(2, "two", first_answer_s=4.0, live_copies=2),
        row(3, "broke"),
    ]
    shares_s = {**dict.fromkeys((*shares.PARTS, *shares.CLAIM_PARTS)), "xl_s": 1.5}
    said = {"trials": 3, "survived": 1, "first_answer_s_median": 3.0, "live_copies_max": 2}
    assert summary("failover", *rows) == {**said, "shares_s_median": shares_s}


@pytest.mark.parametrize(
    ("name", "measured", "fine"),
    [
        ("interval_change", {"shorten_ms": 300, "lengthen_ms": 20}, True),
        ("interval_change", {"shorten_ms": 301, "lengthen_ms": 20}, False),
        ("interval_change", {"shorten_ms": 30, "lengthen_ms": 400}, False),
        ("failover", {"first_answer_s": 5.4}, True),
        ("failover", {"first_answer_s": 5.5}, False),
        ("heartbeat", {"first_answer_s": 3.9}, True),
        ("heartbeat", {"first_answer_s": 4.0}, False),
        ("forecast_to_interval", {"in_force_s": 2.9}, True),
        ("forecast_to_interval", {"in_force_s": 3.0}, False),
        ("backup_dies", {"event_s": 5.0, "point_s": 2.0, "silence_s": 3.0}, True),
        ("backup_dies", {"event_s": 2.0, "point_s": 2.0, "silence_s": 5.1}, False),
        ("killed", {"silence_s": 10.0}, True),
        ("killed", {"silence_s": 10.1}, False),
    ],
)
def test_goals_are_judged(name: str, measured: Mapping[str, Any], fine: bool) -> None:
    assert (PARTS[name].goals([row(**measured)]) == ()) is fine


def test_intervals_are_a_table_of_what_was_measured() -> None:
    figures: dict[str, Any] = {"interval_ms": 25, "period_ms": 180.0, "pause_ms": 110.0, "rate_per_s": 5.5}
    assert summary("intervals", row(1, **figures), row(2, "broke")) == [figures]


def test_the_experiment_tells_of_each_phase_what_was_seen_of_it() -> None:
    figures = {"interval_ms": 25.0, "pause_ms": 200.0, "answers": 300, "errors": 0, "p95_ms": 900.0, "gap_ms": 950.0}
    rows = [row(number, fixed={**figures, "mean_ms": mean_ms}) for number, mean_ms in enumerate((700.0, 800.0), 1)]
    fixed, chosen = summary("experiment", *rows, row(3, fault="no report"))
    assert fixed == {"phase": "fixed", **figures, "mean_ms": 750.0}
    assert set(chosen.values()) == {"chosen", None}


def test_the_experiment_names_what_is_to_be_built_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "ROOT", tmp_path)
    monkeypatch.setattr(experiment, "_BUILT", (tmp_path / "disk.img",))
    with pytest.raises(LabError, match=r"disk\.img not built: run `make tomcat jmeter`"):
        experiment.EXPERIMENT.session(cast("Site", None)).__enter__()


def test_a_store_that_is_away_for_two_minutes_is_tried_in_ci_too() -> None:
    part = PARTS["store_away"]
    assert (part.count(full=False), part.count(full=True)) == (1, 2)
    assert summary("store_away", row(waited={"host of a": 3, "event of b": 1}, drained_s=9.0), row(fault="broke")) == {
        "trials": 2,
        "whole": 1,
        "waited": 4,
        "drained_s_max": 9.0,
    }
