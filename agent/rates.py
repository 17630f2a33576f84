"""Counters to rates: in, readings of cumulative counters; out, their steps per second, unknown across a reset."""

import math
from collections.abc import Mapping


class Rates:
    """The rates of counters that start again together, such as those of one domain.

    Where one of them went backwards all have started again: none of that step's rates is known, as a counter may have
    passed its old value since.
    """

    def __init__(self, *, shortest_s: float = 0.0) -> None:
        self._shortest_s = shortest_s
        self._before: Mapping[str, float] = {}
        self._before_s = math.nan

    def step(self, now_s: float, counters: Mapping[str, float]) -> dict[str, float]:
        """Rates per second since the call before, of those `counters` that were there too; empty where unknown.

        `now_s` is from a monotonic clock. A step not longer than `shortest_s` tells nothing: its readings were late.
        """
        before, elapsed_s = self._before, now_s - self._before_s
        self._before, self._before_s = dict(counters), now_s
        if not elapsed_s > self._shortest_s:
            return {}
        rates = {name: (value - before[name]) / elapsed_s for name, value in counters.items() if name in before}
        return rates if all(0.0 <= rate < math.inf for rate in rates.values()) else {}
