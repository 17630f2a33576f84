"""The demo's running commentary: in, the phase and the newest values; out, lines that a person can follow."""

from collections.abc import Mapping
from typing import Final

from demo.timeline import Kind, Pace, Plan

EVERY_S: Final = 5.0

OPENING: Final = """\
Hefery will watch this machine, learn its quiet life, be disturbed twice, and foresee the second disturbance.
That takes three and a half minutes. What the machine does by itself meanwhile counts as its quiet life.
The disturbances are real load by stress-ng, at most all CPUs, a quarter of the free memory, one disk, and loopback;
Ctrl-C ends it at once. There is no Xen here: the interval shown is what a pacer would read from the agent's order file.
"""


def clock(seconds: float) -> str:
    """Minutes and seconds since the start."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def introduction(elapsed_s: float, kind: Kind, plan: Plan) -> str | None:
    """What begins now; None where the phase goes on from the one before."""
    text = _introductions(plan).get(kind)
    return None if text is None else f"\n{clock(elapsed_s):>5}  {text}"


def _introductions(plan: Plan) -> Mapping[Kind, str]:
    return {
        Kind.LEARNING: "The agent measures this machine. Without a model nobody knows better: protective interval.",
        Kind.FIRST_RAMP: f"A first disturbance, to learn from: {plan.first}.",
        Kind.RECOVERY: "It is over. A moment of calm, so that there is something to learn of that as well.",
        Kind.TRAINING: "Hefery learns from all that was measured so far.",
        Kind.QUIET: "The predictor has found its model. Once calm has lasted, the interval is lengthened.",
        Kind.RAMP: f"A second disturbance, of which nobody tells Hefery, and another than the first: {plan.second}.",
        Kind.PEAK: "The second disturbance is at its worst.",
        Kind.AFTER: "It is over. Once calm has lasted, the interval is lengthened again.",
    }


def left(pace: Pace, elapsed_s: float) -> str:
    """How long the phase still is."""
    least = "<" if pace.least_s < pace.most_s else ""
    return f"{least}{max(0.0, pace.most_s - elapsed_s):.0f} s left"


def change(elapsed_s: float, before_ms: int, now_ms: int) -> str:
    """What a pacer would have noticed."""
    return f"{clock(elapsed_s):>5}  >>> the interval goes from {before_ms} to {now_ms} ms"


def line(elapsed_s: float, kind: Kind, rest: str, told: str, interval_ms: int) -> str:
    """Where the demo stands, what is `told` of the machine, and the interval read back."""
    return f"{clock(elapsed_s):>5} {kind:<11}{rest:>11}  {told}  interval {interval_ms:>3} ms"


def told(metrics: Mapping[str, float], forecast: Mapping[str, float], alarm_from: float | None) -> str:
    """What the machine does, and what is forecast of it; a dash for what is not known."""
    figures = {**metrics, **forecast} if alarm_from is not None else metrics
    alarm = f" (alarm {alarm_from:.1f})" if alarm_from is not None else ""
    return "  ".join(
        [
            f"CPU {_number(figures, 'cpu_ratio', scale=100):>3}%",
            f"mem {_number(figures, 'memory_ratio', scale=100):>3}%",
            f"net {_number(figures, 'network_bytes_per_s', scale=1e-6):>3} MB/s",
            f"disk {_number(figures, 'disk_ops_per_s'):>5}/s",
            f"P(failed) {_number(figures, 'p_failed_within', digits=2)}",
            f"evidence {_number(figures, 'evidence', digits=1)}{alarm}",
        ]
    )


def _number(values: Mapping[str, float], name: str, *, scale: float = 1.0, digits: int = 0) -> str:
    return f"{values[name] * scale:.{digits}f}" if name in values else "-"
