"""One domain's replication: in, its pacer's reports as they come; out, figures of a period, and what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.reports import Applied, Checkpoint, Ended, Report
from telemetry.point import Value

_LATE_S = 3.0  # with the second between two looks, and at short intervals, a loss is told within 5 s
_FIRST_SILENCE_S = 30.0  # before the first report: three periods of the longest intervals in use


@dataclass(frozen=True)
class Happening:
    """Something for the event log."""

    kind: str
    text: str


class Replication:
    """Whether a domain is protected, and how its checkpoints go.

    It is protected from a checkpoint on, until its pacer says that replication ended, or the next checkpoint is 3 s
    late; and only while the copy may take over. Before the first report nothing is claimed, for 30 s: the period is not
    known yet.
    """

    def __init__(self, now_s: float) -> None:
        self._protected: bool | None = None
        self._last_s = now_s
        self._summed_s = now_s
        self._interval_ms: float | None = None
        self._period_ms: float | None = None
        self._checkpoints: list[Checkpoint] = []
        self._ran_share: float | None = None

    @property
    def protected(self) -> bool | None:
        """Whether checkpoints keep coming; None where nothing is known."""
        return self._protected

    @property
    def ran_share(self) -> float | None:
        """Share of the time that the guest was let run, by the last checkpoints summed up; None if not protected.

        It is a lower bound, as the pauses are upper ones.
        """
        return self._ran_share if self._protected else None

    def take(self, report: Report, now_s: float, *, has_backup: bool = True) -> Happening | None:
        """Take note of a report that came now; `has_backup` says whether a copy may take over."""
        match report:
            case Checkpoint():
                return self._committed(report, now_s, has_backup=has_backup)
            case Applied():
                self._interval_ms = None if self._protected is False else report.interval_ms
                text = f"order {report.sequence}: {report.interval_ms:g} ms in force after {report.latency_ms:g} ms"
                return Happening("applied", text)
            case Ended():
                self._lose()
                return Happening("ended", report.reason)

    def check(self, now_s: float, *, runs_here: bool) -> Happening | None:
        """Notice that no checkpoint comes. A domain that runs elsewhere, as on its backup host, owes none."""
        if self._protected is None and not runs_here:
            self._last_s = now_s
        silent_s = now_s - self._last_s
        if self._protected is False or silent_s <= self._longest_silence_s():
            return None
        self._lose()
        return Happening("unprotected", f"no checkpoint was reported for {silent_s:.1f} s")

    def sum_up(self, now_s: float, *, runs_here: bool) -> Mapping[str, Value | None]:
        """Fields of a `checkpoint` point for the time since the call before; none where nothing is claimed.

        That a domain is not protected is told once, and on only while it runs here.
        """
        checkpoints, self._checkpoints = self._checkpoints, []
        elapsed_s, self._summed_s = now_s - self._summed_s, now_s
        self._ran_share = _ran_share(checkpoints, otherwise=self._ran_share) if self._protected else None
        if self._protected is None or not elapsed_s > 0:
            return {}
        protected = self._protected
        if not protected and not runs_here:
            self._protected = None
        pauses_ms = [c.pause_ms for c in checkpoints if c.pause_ms is not None]
        return {
            "interval_ms": self._interval_ms,
            "period_ms": _mean(c.period_ms for c in checkpoints),
            "pause_ms": _mean(pauses_ms),
            "pause_max_ms": max(pauses_ms, default=None),
            "send_ms": _mean(c.send_ms for c in checkpoints),
            "rate_per_s": len(checkpoints) / elapsed_s,
            "protected": protected,
        }

    def _committed(self, checkpoint: Checkpoint, now_s: float, *, has_backup: bool) -> Happening | None:
        before, self._protected, self._last_s = bool(self._protected), has_backup, now_s
        self._interval_ms, self._period_ms = checkpoint.interval_ms, checkpoint.period_ms
        self._checkpoints.append(checkpoint)
        if before == has_backup:
            return None
        if not has_backup:
            return Happening("unprotected", "checkpoints go on, but no copy may take over")
        return Happening("protected", f"checkpoints every {checkpoint.interval_ms:g} ms")

    def _lose(self) -> None:
        self._protected, self._interval_ms, self._period_ms = False, None, None

    def _longest_silence_s(self) -> float:
        if self._protected is None:
            return _FIRST_SILENCE_S
        return _LATE_S + max(self._interval_ms or 0.0, self._period_ms or 0.0) / 1000


def _ran_share(checkpoints: Iterable[Checkpoint], *, otherwise: float | None) -> float | None:
    """1 - pauses / periods; `otherwise` where no checkpoint tells both, as between two that are far apart."""
    both = [(c.pause_ms, c.period_ms) for c in checkpoints if c.pause_ms is not None and c.period_ms]
    if not both:
        return otherwise
    return max(0.0, 1.0 - sum(pause for pause, _ in both) / sum(period for _, period in both))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
