"""The policy's part of the configuration: in, what the file says and what training found; out, a `Rule`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from predictor.cost import Stakes
from predictor.model import Calm, Mode
from predictor.policy import Rule, Threshold
from telemetry.settings import Section

Words = Annotated[tuple[str, ...], Field(strict=False)]
"""A list of the file, kept as a tuple."""
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
"""The same, of numbers."""


class ThresholdSettings(Section):
    """The two levels of a signal."""

    signal: Literal["evidence", "surprise", "p_failed_within", "p_abnormal_next"] = Field(
        description="Field of the forecast; p_abnormal_next is p_abnormal + p_failed."
    )
    low: float = Field(ge=0, description="From here on the interval is not lengthened.")
    high: float = Field(ge=0, description="From here on the interval is shortened at once.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g}); exchange them")
        return self


class CostSettings(Section):
    """What the cost rule weighs to choose the interval that calm leads to."""

    service_s: float = Field(gt=0, description="Response time of the unprotected guest without load.")
    loss_weight_s: float = Field(
        gt=0, description="Response time worth paying to lose no work if the guest failed all the time."
    )
    intervals_ms: Numbers = Field(
        default=(25, 50, 100, 200, 500, 1000, 2000), min_length=1, description="The intervals to choose from."
    )
    response_s: Numbers = Field(
        default=(),
        description="Measured response time at each of intervals_ms, for the formula knows the pause alone.",
    )
    mean_time_to_failure_h: float = Field(
        default=10_000.0, gt=0, description="Between failures that no metric foretells: a host's, about a year."
    )
    output_held: bool = Field(default=False, description="Whether answers wait for the commit (network buffering).")

    @model_validator(mode="after")
    def _of_one_length(self) -> Self:
        if min(self.intervals_ms) <= 0:
            raise ValueError("intervals_ms must be above 0")
        if self.response_s and len(self.response_s) != len(self.intervals_ms):
            raise ValueError("response_s must hold a value for each of intervals_ms, or none")
        return self

    def stakes(self, horizon_s: float) -> Stakes:
        """What the rule needs."""
        rate = 1 / (self.mean_time_to_failure_h * 3600)
        return Stakes(self.intervals_ms, self.loss_weight_s, rate, horizon_s, self.output_held)


class PolicySettings(Section):
    """How a forecast becomes an interval."""

    protective_ms: float = Field(default=25.0, gt=0, description="Interval in danger and in doubt: the paper's.")
    calm_ms: float = Field(
        default=2000.0,
        gt=0,
        description="Interval in calm, and the longest ever: 2.7 times faster answers than at 25 ms.",
    )
    max_age_s: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="Age of the newest observation from which on nothing is known: a few steps.",
    )
    min_coverage: float = Field(
        default=0.8, gt=0, le=1, description="Share of a domain's metrics seen lately: one of four lost is doubt."
    )
    dwell_s: float = Field(
        default=60.0,
        ge=0,
        description="Time since the last call for protection before lengthening: trouble comes in bursts.",
    )
    calm_ticks: int = Field(default=5, ge=1, description="Calm decisions in a row before lengthening.")
    thresholds: Annotated[tuple[ThresholdSettings, ...], Field(strict=False)] = Field(
        default=(), description="None given: the model's own for evidence; in the paper's mode 0.1 for p_abnormal_next."
    )
    cost: CostSettings | None = Field(default=None, description="Without it calm leads to calm_ms.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.protective_ms > self.calm_ms:
            raise ValueError(f"protective_ms ({self.protective_ms:g}) is above calm_ms ({self.calm_ms:g})")
        return self

    def rule(self, mode: Mode, calm: Calm | None, horizon_s: float) -> Rule:
        """The rule of decision, with the thresholds that training found where none are set."""
        thresholds = tuple(Threshold(t.signal, t.low, t.high) for t in self.thresholds)
        return Rule(
            thresholds=thresholds or (_own_threshold(mode, calm),),
            protective_ms=self.protective_ms,
            calm_ms=self.calm_ms,
            max_age_s=self.max_age_s,
            min_coverage=self.min_coverage,
            dwell_s=self.dwell_s,
            calm_ticks=self.calm_ticks,
            stakes=None if self.cost is None else self.cost.stakes(horizon_s),
        )


def _own_threshold(mode: Mode, calm: Calm | None) -> Threshold:
    if mode == "paper":
        return Threshold("p_abnormal_next", low=0.1, high=0.1)
    if calm is None:  # no model, no view: nothing is ever compared with it
        return Threshold("evidence", low=0.0, high=0.0)
    return Threshold("evidence", calm.evidence_low, calm.evidence_high)
