"""A store that is hard to please: in, points; out, those that it takes, and the errors that the interface allows."""

from collections.abc import Sequence
from typing import cast

from telemetry.point import Point
from telemetry.store import BatchMalformed, BatchPartlyWritten, BatchTooLarge, Store, StoreError


class FussyStore:
    """Refuses points whose times are in `bad`, all of their batch or (`partly`) them alone, and batches over `most`."""

    def __init__(self, bad: set[int] | None = None, *, partly: bool = False, most: int = 10**9) -> None:
        self.bad, self.partly, self.most = bad or set(), partly, most
        self.error: StoreError | None = None
        self.batches: list[list[int]] = []
        self.stored: set[int] = set()
        self.closed = 0

    def append(self, points: Sequence[Point]) -> None:
        times = [point.time_ns for point in points]
        self.batches.append(times)
        if self.error:
            raise self.error
        if len(times) > self.most:
            raise BatchTooLarge("413")
        if self.bad.intersection(times):
            self.stored |= set(times) - self.bad if self.partly else set()
            raise BatchPartlyWritten("422") if self.partly else BatchMalformed("400")
        self.stored |= set(times)

    def close(self) -> None:
        self.closed += 1

    def as_store(self) -> Store:
        """It, for those who only append and close."""
        return cast(Store, self)
