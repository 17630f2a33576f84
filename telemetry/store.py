"""The interface of every store: points go in, regular windows, newest points and events come out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from telemetry.point import Point
from telemetry.schema import SCHEMA

if TYPE_CHECKING:  # agents do without numpy
    import numpy as np
    from numpy.typing import NDArray


class StoreError(Exception):
    """The store did not do what was asked; the text says why and what to do."""


class StoreUnavailable(StoreError):
    """No answer, too busy, or failing (connection, time-out, 429, 5xx): keep the points, come back later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRefused(StoreError):
    """Not allowed or not there (401, 403, 404): keep the points and tell a person."""


class BatchTooLarge(StoreError):
    """Too many points at once (413): send less."""


class BatchMalformed(StoreError):
    """At least one point is not acceptable, and none of those that go to the same bucket was written (400)."""


class BatchPartlyWritten(StoreError):
    """Of the points that go to one bucket the good ones are in, others were refused for good (422)."""


@dataclass(frozen=True)
class Grid:
    """`count` steps of `step_ns` from `start_ns` on; step k covers [start + k step, start + (k + 1) step)."""

    start_ns: int
    step_ns: int
    count: int

    def __post_init__(self) -> None:
        """Refuse a grid whose steps would not fall on multiples of the step: stores cut time there."""
        if self.step_ns <= 0 or self.count < 0 or self.start_ns < 0 or self.start_ns % self.step_ns:
            raise ValueError(f"{self}: start must be a multiple of the step, and neither step nor count negative")

    @property
    def stop_ns(self) -> int:
        """The end, not included."""
        return self.start_ns + self.step_ns * self.count


@dataclass(frozen=True)
class Window:
    """Means of fields on a grid: `values [step, row, field]`, NaN in gaps; `rows` are the sorted values of the tags."""

    grid: Grid
    rows: tuple[tuple[str, ...], ...]
    fields: tuple[str, ...]
    values: "NDArray[np.float64]"


@dataclass(frozen=True)
class Health:
    """Whether the store can be used, and what it says of itself."""

    ok: bool
    message: str


class Store(Protocol):
    """What agent and predictor ask of a store; every call raises `StoreError` and nothing else when it cannot be done.

    Names that are not in the schema are the caller's mistake: ValueError. Threads may share a store.
    Writing a point again (same measurement, tags and time) merges its fields over the ones before: repeating is safe.
    """

    def append(self, points: Sequence[Point]) -> None:
        """Write the points: all are durable when it returns."""
        ...

    def window(
        self,
        measurement: str,
        fields: Sequence[str],
        grid: Grid,
        *,
        by: Sequence[str],
        where: Mapping[str, str] | None = None,
    ) -> Window:
        """Means of the numeric `fields` in each step of `grid`, one row per value of the tags `by`, gaps as NaN.

        Only points whose tags equal `where` count. Rows without any value in the range are not there.
        """
        ...

    def latest(self, measurement: str, *, since_ns: int, where: Mapping[str, str] | None = None) -> list[Point]:
        """The newest point of each tag set, if not older than `since_ns`, sorted by tags."""
        ...

    def events(
        self, measurement: str, start_ns: int, stop_ns: int, *, where: Mapping[str, str] | None = None
    ) -> list[Point]:
        """All points with start <= time < stop, whole, oldest first: for rare things (event, incident, decision)."""
        ...

    def health(self) -> Health:
        """Whether the store answers; never raises."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


def check_names(measurement: str, *, tags: Iterable[str], fields: Iterable[str] = ()) -> None:
    """Raise ValueError unless the schema's `measurement` has these tags and numeric fields."""
    if measurement not in SCHEMA:
        raise ValueError(f"no measurement {measurement!r} in the schema; known are {', '.join(SCHEMA)}")
    known = SCHEMA[measurement]
    numeric = [name for name, field in known.fields.items() if field.kind in {"float", "int"}]
    for what, asked, have in (("tag", tags, known.tags), ("numeric field", fields, numeric)):
        if unknown := [name for name in asked if name not in have]:
            raise ValueError(f"{measurement} has no {what} {unknown[0]!r}; it has {', '.join(have) or 'none'}")
