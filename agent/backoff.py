"""How long to wait before trying again: in, how often it failed; out, seconds, longer each time and never in step."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits that double from `first_s` up to `longest_s`, each shortened by chance to between half and whole of it."""

    first_s: float
    longest_s: float
    chance: Callable[[], float] = random.random

    def delay_s(self, failures: int) -> float:
        """The wait after the `failures`-th failure in a row, counted from 1."""
        doublings = min(failures - 1, 64)  # 2**64 s is beyond any bound
        return min(self.longest_s, self.first_s * 2.0**doublings) * (0.5 + self.chance() / 2)
