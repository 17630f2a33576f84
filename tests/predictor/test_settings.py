"""The predictor's settings: what is refused, and the rule that comes of them."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from predictor.cost import Stakes
from predictor.model import Calm
from predictor.policy import Threshold
from predictor.policy_settings import CostSettings, PolicySettings
from predictor.rarity import Rarity
from predictor.settings import (
    ModelSettings,
    PredictorSettings,
    SeriesSettings,
    ServiceSettings,
    TrainingSettings,
)
from telemetry.settings import ConfigError, Section, load
from tests.predictor import site

MINIMAL = """
[store]
kind = "sqlite"
path = "store.sqlite"
[model]
folder = "models"
"""
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "predictor.toml"
CALM = Calm(Rarity(np.array([0.0])), Rarity(np.array([0.0])), evidence_low=1.5, evidence_high=2.5)


def loaded(tmp_path: Path, text: str) -> PredictorSettings:
    path = tmp_path / "predictor.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, PredictorSettings)


def test_defaults_fit_each_other(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL)
    assert settings.series.step_ns == 5 * 10**9
    assert settings.rule(CALM).thresholds == (Threshold("evidence", 1.5, 2.5),)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("[policy]\nprotective_ms = 3000", r"predictor.toml: policy: .*protective_ms \(3000\) is above calm_ms"),
        ("[policy]\nmax_age_s = 3", r"policy.max_age_s \(3\) must be at least two steps and the lag \(12\)"),
        ("[service]\nvalid_for_s = 6", r"service.valid_for_s \(6\) must be at least two steps \(10\)"),
        ("[policy]\ndwel_s = 3", r"policy.dwel_s"),
        ("[policy]\ncalm_ms = nan", r"policy.calm_ms"),
        ('[policy]\ncalm_ms = "2000"', r"policy.calm_ms"),
        ('[[policy.thresholds]]\nsignal = "evidence"\nlow = 3\nhigh = 2', r"low \(3\) is above high \(2\)"),
        (
            '[[policy.thresholds]]\nsignal = "evidense"\nlow = 1\nhigh = 2',
            r"policy.thresholds.*signal is 'evidense'",
        ),
        ("[training]\nspan_h = 1e300", "training.span_h is 1e\\+300; it should be less than or equal to 8760"),
        ("[service]\nreplay_steps = 1000000000", "service.replay_steps is 1000000000; it should be less than"),
        ("[policy.cost]\nservice_s = 0.1", "policy.cost.loss_weight_s"),
        (
            "[policy.cost]\nservice_s = 0.1\nloss_weight_s = 1\nresponse_s = [1.0]",
            "response_s must hold a value for each of intervals_ms",
        ),
        ("[policy.cost]\nservice_s = 0.1\nloss_weight_s = 1\nintervals_ms = [0, 5]", "intervals_ms must be above 0"),
    ],
)
def test_what_cannot_work_is_refused_by_key(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, MINIMAL + wrong)


def test_thresholds_of_the_file_come_first(tmp_path: Path) -> None:
    given = '[[policy.thresholds]]\nsignal = "surprise"\nlow = 1\nhigh = 2\n'
    assert loaded(tmp_path, MINIMAL + given).rule(CALM).thresholds == (Threshold("surprise", 1, 2),)


def test_paper_mode_has_the_papers_threshold(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL + 'mode = "paper"\n[policy]\ndwell_s = 0\ncalm_ticks = 1')
    rule = settings.rule(CALM)
    assert rule.thresholds == (Threshold("p_abnormal_next", 0.1, 0.1),)
    assert settings.model.recipe.mode == "paper"


def test_cost_section_becomes_stakes(tmp_path: Path) -> None:
    cost = {"service_s": 0.1, "loss_weight_s": 2.0, "intervals_ms": [25, 100], "mean_time_to_failure_h": 1.0}
    rule = site.settings(tmp_path, policy={"cost": cost}).rule(CALM)
    assert rule.stakes == Stakes((25, 100), 2.0, 1 / 3600, horizon_s=5.0)


class TestExample:
    def test_holds_every_default(self) -> None:
        example = load(EXAMPLE, PredictorSettings)
        assert example == PredictorSettings(store=example.store)
        keys = {key for section in tomllib.loads(EXAMPLE.read_text(encoding="utf-8")).values() for key in section}
        parts: list[type[Section]] = [
            ModelSettings,
            SeriesSettings,
            TrainingSettings,
            PolicySettings,
            ServiceSettings,
        ]
        left_out = {"thresholds", "cost"}  # shown below, as comments
        assert {name for part in parts for name in part.model_fields} - keys == left_out

    def test_parts_that_are_comments_can_be_used(self, tmp_path: Path) -> None:
        text = EXAMPLE.read_text(encoding="utf-8")
        start, stop = text.index("# [[policy.thresholds]]"), text.index("[service]")
        used = re.sub(r"^# (?=\[|\w+ = )", "", text[start:stop], flags=re.MULTILINE)
        policy = loaded(tmp_path, text[:start] + used + text[stop:]).policy
        assert [threshold.signal for threshold in policy.thresholds] == ["p_failed_within"]
        assert policy.cost is not None
        given = policy.cost.model_dump(exclude={"service_s", "loss_weight_s"})
        assert given == CostSettings(service_s=1, loss_weight_s=1).model_dump(exclude={"service_s", "loss_weight_s"})
