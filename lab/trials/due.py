"""When the protective interval was due and when it came: in, orders, reports and an agent's words; out, seconds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from agent.order import Order
from agent.reports import Applied, Checkpoint
from lab.trials.reports import Told
from telemetry.units import NS_PER_S

PROTECTIVE_MS: Final = 25
_MS_PER_S: Final = 1000


@dataclass(frozen=True)
class Back:
    """How the protective interval came back; None where it did not, or where no longer one was in force before.

    `after_s` counts from the fault, `late_s` from when it was due: at once, or at the deadline of the last order.
    `checkpoint_s` is the longest time of a checkpoint, whose end a change may have to wait for.
    """

    after_s: float | None
    late_s: float | None
    checkpoint_s: float


@dataclass(frozen=True)
class Look:
    """The order in its place, and what the agent says of the interval in force and of a checkpoint's time."""

    order: Order | None
    interval_ms: float | None
    checkpoint_s: float

    @classmethod
    def of(cls, printed: str) -> Self:
        """From both files, of which each is a line, and may be missing. Raises ValueError."""
        lines = printed.splitlines()
        orders = [Order.parse(f"{line}\n") for line in lines if '"sequence"' in line]
        said: dict[str, Any] = next((json.loads(line) for line in lines if '"sequence"' not in line), {})
        checkpoint_ms = (said.get("pause_max_ms") or 0.0) + (said.get("send_ms") or 0.0)
        return cls(orders[0] if orders else None, said.get("interval_ms"), checkpoint_ms / _MS_PER_S)


def protective(told: Sequence[Told], change: int | None = None) -> Told | None:
    """The first report of the protective interval; of those after a change of the order, by the number of that."""
    since = 0 if change is None else _index(told, change)
    return next((line for line in told[since:] if _interval_ms(line) == PROTECTIVE_MS), None)


def at_once(told: Sequence[Told], change: int) -> Back:
    """Of a probe that changed the order itself."""
    changed_ns, back = told[_index(told, change)].sent_ns, protective(told, change)
    after_s = None if back is None else (back.sent_ns - changed_ns) / NS_PER_S
    return Back(after_s, after_s, _checkpoint_s(told))


def at_deadline(told: Sequence[Told], fault_ns: int, order: Order | None) -> Back:
    """Of a probe that began after the fault, and the order of then.

    Until it listens nobody can tell: where it began after the deadline, that time is in neither figure.
    """
    back, due_ns = protective(told), _deadline_ns([order])
    if back is None:
        return Back(None, None, _checkpoint_s(told))
    untold_ns = 0 if due_ns is None else max(told[0].sent_ns - due_ns, 0)
    late_s = None if due_ns is None else (back.sent_ns - due_ns - untold_ns) / NS_PER_S
    return Back((back.arrived_ns - fault_ns - untold_ns) / NS_PER_S, late_s, _checkpoint_s(told))


def by_event(time_ns: int | None, fault_ns: int, wall_ahead_ns: int, looks: Sequence[Look]) -> Back:
    """Of an agent's event; it and the fault are by the host's wall clock, `wall_ahead_ns` ahead of its monotonic one.

    Orders come for a moment after the fault, so the deadline is that of the last one seen.
    """
    due_ns = _deadline_ns([look.order for look in looks])
    after_s = None if time_ns is None else (time_ns - fault_ns) / NS_PER_S
    late_s = None if time_ns is None or due_ns is None else (time_ns - wall_ahead_ns - due_ns) / NS_PER_S
    return Back(after_s, late_s, max(look.checkpoint_s for look in looks))


def _deadline_ns(orders: Sequence[Order | None]) -> int | None:
    """Of the last one that has the interval longer."""
    longer = [order for order in orders if order is not None and order.interval_ms > PROTECTIVE_MS]
    return longer[-1].deadline_monotonic_ns if longer else None


def _index(told: Sequence[Told], change: int) -> int:
    return next(n for n, line in enumerate(told) if line.what == change)


def _interval_ms(line: Told) -> float | None:
    return line.what.interval_ms if isinstance(line.what, Applied | Checkpoint) else None


def _checkpoint_s(told: Sequence[Told]) -> float:
    made = [line.what for line in told if isinstance(line.what, Checkpoint)]
    return max(((c.pause_ms or 0.0) + (c.send_ms or 0.0) for c in made), default=0.0) / _MS_PER_S
