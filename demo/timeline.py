"""What the demo does, and when: out, its phases and the two disturbances as data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True)
class Load:
    """What to use: shares of all CPUs and of the memory that may be taken; workers on the disk and on loopback."""

    cpu: float = 0.0
    memory: float = 0.0
    disk: int = 0
    network: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """What it is load on."""
        amounts = {"CPU": self.cpu, "memory": self.memory, "disk": self.disk, "network": self.network}
        return tuple(name for name, amount in amounts.items() if amount)


@dataclass(frozen=True)
class Stage:
    """From `at_s` into its disturbance on, `load` comes on top."""

    at_s: float
    load: Load


@dataclass(frozen=True)
class Disturbance:
    """Stages that build up for `ramp_s` and stand at their worst for `peak_s`; then everything ends at once."""

    ramp_s: float
    peak_s: float
    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        first, *others = self.under_way(self.ramp_s)
        return ", then ".join(filter(None, [first, ", ".join(others)]))

    def under_way(self, elapsed_s: float) -> list[str]:
        """What there is load on by then, in the order of its beginning."""
        parts = (part for stage in self.stages if stage.at_s <= elapsed_s for part in stage.load.parts)
        return list(dict.fromkeys(parts))


class Kind(StrEnum):
    """What a phase is for; its name as the demo shows it."""

    LEARNING = "learning"
    FIRST_RAMP = "first ramp"
    FIRST_PEAK = "first peak"
    RECOVERY = "recovery"
    TRAINING = "training"
    QUIET = "forecasting"
    RAMP = "second ramp"
    PEAK = "second peak"
    AFTER = "calm again"


@dataclass(frozen=True)
class Pace:
    """A phase lasts from `least_s` to `most_s`; in between it ends once the interval was long for `steady_s`."""

    least_s: float
    most_s: float
    steady_s: float = 0.0

    def is_over(self, elapsed_s: float, long_for_s: float) -> bool:
        """Whether it ends now; `long_for_s` is for how long the interval has been long without a break."""
        return elapsed_s >= self.most_s or (elapsed_s >= self.least_s and long_for_s >= self.steady_s)


def exactly(seconds: float) -> Pace:
    """The pace of a phase that waits for nothing."""
    return Pace(seconds, seconds)


@dataclass(frozen=True)
class Plan:
    """What is played; the training lasts as long as it does, and is done up to `most_trainings` times, until QUIET is.

    `visible_after_s` is from when on the first disturbance is labelled: trouble is seen when memory has grown, not when
    it begins to.
    """

    learning_s: float
    first: Disturbance
    visible_after_s: float
    recovery_s: float
    most_trainings: int
    quiet: Pace
    second: Disturbance
    after: Pace


PLAN: Final = Plan(
    learning_s=70,
    first=Disturbance(
        ramp_s=14,
        peak_s=8,
        stages=(
            Stage(0, Load(memory=0.25)),
            Stage(4, Load(memory=0.25)),
            Stage(7, Load(cpu=0.5)),
            Stage(8, Load(memory=0.25)),
            Stage(12, Load(memory=0.25)),
            Stage(14, Load(cpu=0.5)),
        ),
    ),
    visible_after_s=3,
    recovery_s=15,
    most_trainings=3,
    quiet=Pace(least_s=12, most_s=25, steady_s=8),
    second=Disturbance(
        ramp_s=40,
        peak_s=10,
        stages=(
            Stage(0, Load(cpu=0.2)),
            Stage(6, Load(cpu=0.2)),
            Stage(11, Load(disk=1)),
            Stage(15, Load(network=1)),
            Stage(19, Load(memory=0.25)),
            Stage(25, Load(memory=0.25)),
            Stage(31, Load(memory=0.25)),
            Stage(40, Load(cpu=0.6, memory=0.25, disk=1, network=1)),
        ),
    ),
    after=Pace(least_s=20, most_s=35, steady_s=10),
)
"""First memory grows until the CPUs have no rest; then CPU load grows, and disk, network and memory join."""
