"""What is seen while the demo runs: in, the order file and the store; out, the interval all along, newest values."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from agent.order import effective_interval_ms, read
from demo.record import Sample
from demo.site import DOMAIN
from telemetry.store import Store, StoreError
from telemetry.units import NS_PER_S

_RECENT_NS = 5 * NS_PER_S


@dataclass
class Observer:
    """Reads the interval back from the order file as a pacer does, and keeps every sample."""

    order_file: Path
    protective_ms: int
    samples: list[Sample] = field(default_factory=list)
    _long_since_ns: int | None = None

    @property
    def interval_ms(self) -> int:
        """The interval at the last look."""
        return self.samples[-1].interval_ms if self.samples else self.protective_ms

    def look(self) -> int | None:
        """Read the order file; what the interval was before, if it has changed."""
        text, before_ms = read(self.order_file), self.interval_ms
        sample = Sample(time.time_ns(), effective_interval_ms(text, time.monotonic_ns(), self.protective_ms))
        self.samples.append(sample)
        if sample.interval_ms <= self.protective_ms:
            self._long_since_ns = None
        elif self._long_since_ns is None:
            self._long_since_ns = sample.time_ns
        return before_ms if sample.interval_ms != before_ms else None

    def long_for_s(self) -> float:
        """For how long the interval has been longer than the protective one without a break; 0 where it is not."""
        return 0.0 if self._long_since_ns is None else (self.samples[-1].time_ns - self._long_since_ns) / NS_PER_S


def newest(store: Store, measurement: str) -> dict[str, float]:
    """The numbers of the domain's newest point; none where there is no recent one."""
    try:
        points = store.latest(measurement, since_ns=time.time_ns() - _RECENT_NS, where={"domain": DOMAIN})
    except StoreError:
        return {}  # a line of progress is not worth an end
    return {name: value for point in points for name, value in point.fields.items() if isinstance(value, float)}
