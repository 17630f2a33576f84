"""The predictor's configuration: in, a TOML file; out, frozen and checked settings, every default with its reason."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from predictor.model import Calm, Mode, Recipe
from predictor.policy import Rule
from predictor.policy_settings import PolicySettings, Words
from telemetry.settings import FilePath, Section, StoreSettings
from telemetry.units import NS_PER_S


class SeriesSettings(Section):
    """How measurements become series."""

    step_s: float = Field(
        default=5.0,
        ge=0.1,
        le=600,
        description="Length of a step; one decision a step. Five samples of an agent tell more than one.",
    )
    lag_s: float = Field(
        default=2.0, ge=0, le=600, description="How long a step waits for points on their way: two samples of an agent."
    )
    domains: Words = Field(default=(), description="The domains to forecast; none named: every one that is measured.")

    @property
    def step_ns(self) -> int:
        """The step in nanoseconds."""
        return round(self.step_s * NS_PER_S)

    @property
    def lag_ns(self) -> int:
        """The lag in nanoseconds."""
        return round(self.lag_s * NS_PER_S)


class ModelSettings(Section):
    """Which model, and where its files are."""

    folder: FilePath = Field(default=Path("/var/lib/hefery/models"), description="Folder of the model files.")
    keep: int = Field(default=10, ge=2, description="Model files to keep, the newest; one to fall back on at least.")
    mode: Mode = Field(default="default", description="default, or paper for the published method as it stands.")
    restarts: int = Field(
        default=Recipe.restarts,
        ge=1,
        le=50,
        description="Random starts whose models are averaged: one alone is a lottery.",
    )
    horizon_steps: int = Field(
        default=Recipe.horizon_steps, ge=1, le=1000, description="How far ahead p_failed_within looks."
    )
    false_alarm_share: float = Field(
        default=Recipe.false_alarm_share,
        gt=0,
        lt=0.5,
        description="Share of calm time that false alarms may take, each with the dwell after it: sets thresholds.",
    )

    @property
    def recipe(self) -> Recipe:
        """How to make the model."""
        return Recipe(
            mode=self.mode,
            restarts=self.restarts,
            horizon_steps=self.horizon_steps,
            false_alarm_share=self.false_alarm_share,
        )


class TrainingSettings(Section):
    """What a model learns from, and when it is refused."""

    span_h: float = Field(
        default=24.0, gt=0, le=8760, description="How much of the past to learn: a day holds a day's rhythm."
    )
    min_steps: int = Field(
        default=600,
        ge=10,
        description="Calm steps that a domain must have been measured: fewer show too little to compare with.",
    )
    incident_context_h: float = Field(
        default=1.0,
        gt=0,
        le=168,
        description="Calm before an older incident that is learned with it, so that it is not forgotten.",
    )
    held_out_share: float = Field(
        default=0.2,
        gt=0,
        lt=0.9,
        description="Newest part of the span on which a refit must stand up to the old model.",
    )
    worse_by_nats: float = Field(
        default=0.05,
        ge=0,
        description="A refit is refused if its log-likelihood a held-out step is lower by more than this.",
    )
    seed: int = Field(default=1, ge=0, description="Seed of the random starts: the same data gives the same model.")


class ServiceSettings(Section):
    """How the running predictor behaves."""

    valid_for_s: float = Field(
        default=20.0, gt=0, le=3600, description="How long a decision may be acted on; then the governor protects."
    )
    coverage_steps: int = Field(
        default=12, ge=1, le=1000, description="Steps over which coverage is counted: a minute."
    )
    replay_steps: int = Field(
        default=120, ge=1, le=10_000, description="Steps to relive at the start: the slow averages remember about 60."
    )


class PredictorSettings(Section):
    """The file predictor.toml."""

    store: StoreSettings = Field(description="Where points are read and written.")
    model: ModelSettings = ModelSettings()
    series: SeriesSettings = SeriesSettings()
    training: TrainingSettings = TrainingSettings()
    policy: PolicySettings = PolicySettings()
    service: ServiceSettings = ServiceSettings()

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        step_s, lag_s = self.series.step_s, self.series.lag_s
        least_s = 2 * step_s + lag_s
        if self.policy.max_age_s < least_s:
            raise ValueError(
                f"policy.max_age_s ({self.policy.max_age_s:g}) must be at least two steps and the lag ({least_s:g}):"
                " an observation is a step and the lag old when it is first seen"
            )
        if self.service.valid_for_s < 2 * step_s:
            raise ValueError(
                f"service.valid_for_s ({self.service.valid_for_s:g}) must be at least two steps ({2 * step_s:g}):"
                " there is one decision a step"
            )
        return self

    def rule(self, calm: Calm | None) -> Rule:
        """The rule of decision; `calm` is None where there is no model."""
        return self.policy.rule(self.model.mode, calm, horizon_s=self.model.horizon_steps * self.series.step_s)
