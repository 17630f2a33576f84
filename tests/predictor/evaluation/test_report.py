"""Reports: the document's shape, and tables that say what was found."""

import json
import math

import pytest

from predictor.evaluation.methods import ALARM
from predictor.evaluation.protocol import Figures
from predictor.evaluation.report import document, summary, table
from predictor.evaluation.trials import Outcome, Reliability, Trial

NAN = math.nan


def figures(auc: float, lead_min: float = 12.0) -> Figures:
    return Figures(auc, 0.25, lead_min, 0.9, 0.8, 0.05)


PREVENT = Outcome(
    (
        Trial("default", 0, "all", figures(0.95)),
        Trial("default", 1, "all", figures(0.97, lead_min=14)),
        Trial("random", 0, "all", figures(0.5)),
        Trial("random", 1, "all", figures(0.5)),
        Trial(ALARM, 0, "all", figures(0.95)),
        Trial(ALARM, 1, "all", figures(0.97)),
    ),
    (
        Trial("default", 0, "run-1, run-2", figures(0.9)),
        Trial("default", 1, "run-1, run-2", figures(0.8)),
        Trial("default", 0, "run-3", figures(0.7)),
        Trial("default", 1, "run-3", figures(0.7)),
    ),
    (Reliability(0.2, 0.5, 1234, 0.31, 0.29),),
)
SMD = Outcome(
    tuple(
        Trial(method, seed, machine, figures(auc, lead_min=NAN))
        for method in ("default", ALARM)
        for seed in (0, 1)
        for machine, auc in (("machine-1-1", 0.6 + 0.1 * seed), ("machine-1-2", 0.8 + 0.1 * seed))
    ),
    (),
    (),
)


def test_document_has_the_shape_that_others_read() -> None:
    told = json.loads(json.dumps(document({"prevent": PREVENT, "smd": SMD}, {"seeds": 2}), allow_nan=False))
    assert told["seeds"] == 2
    assert {"commit", "machine"} < told.keys()
    figure = told["datasets"]["prevent"]["methods"]["default"]
    assert figure.keys() == set(Figures.__dataclass_fields__)
    assert figure["auc"] == pytest.approx({"mean": 0.96, "sd": 0.01})
    assert figure["lead_min"] == {"mean": 13, "sd": 1}
    assert told["datasets"]["prevent"]["reliability"] == [
        {"low": 0.2, "high": 0.5, "rows": 1234, "predicted": 0.31, "observed": 0.29}
    ]
    row = told["datasets"]["smd"]["trials"][0]
    assert (row["method"], row["seed"], row["judged_on"], row["auc"]) == ("default", 0, "machine-1-1", 0.6)
    assert row["lead_min"] is None


def test_spread_is_over_seeds_not_machines() -> None:
    auc = summary(SMD)["default"]["auc"]
    assert auc == pytest.approx({"mean": 0.75, "sd": 0.05})
    assert summary(SMD)["default"]["lead_min"] == {"mean": None, "sd": None}


def test_table_ranks_by_auc_and_sets_the_own_alarm_apart() -> None:
    lines = table("prevent", PREVENT).splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["default", "random"]
    assert "0.960 ± 0.010" in lines[2]
    assert "13.000 ± 1.000" in lines[2]
    own = lines.index("  the product's own alarm, its threshold chosen on training data alone:")
    assert lines[own + 1].split()[0] == ALARM
    assert lines[-1].split() == ["0.20-0.50", "1234", "0.310", "0.290"]


def test_table_says_what_was_not_learned() -> None:
    lines = table("smd", SMD).splitlines()
    assert lines[2].split().count("-") == 1
    assert lines[-1].startswith("  no reliability table: no failure was labelled")


def test_each_fold_has_its_line_and_its_rows() -> None:
    lines = table("prevent", PREVENT).splitlines()
    at = next(i for i, line in enumerate(lines) if "on what was left out" in line)
    assert lines[at + 1].split() == ["default"]
    assert [line.rsplit(maxsplit=1) for line in lines[at + 2 : at + 4]] == [
        ["    run-1, run-2", "0.850"],
        ["    run-3", "0.700"],
    ]
    assert "left out" not in table("smd", SMD)
    rows = document({"prevent": PREVENT}, {})["datasets"]["prevent"]["left_out"]
    assert [(row["judged_on"], row["seed"], row["auc"]) for row in rows[:2]] == [
        ("run-1, run-2", 0, 0.9),
        ("run-1, run-2", 1, 0.8),
    ]
