"""The picture: in, a record and its verdict; out, a PNG that an operator reads in five seconds."""

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from demo import story
from demo.record import Alarm, Curve, Record
from demo.timeline import Kind
from demo.verdict import Verdict
from telemetry.units import NS_PER_S

Floats = NDArray[np.float64]

_INK, _PALE = "#222222", "#777777"
_SHORT, _LONG = "#c62828", "#2e7d32"
_FORECAST: Final = "#5e35b1"
_LABELLED, _UNLABELLED = "#4f81bd", "#f39c12"
_SHADES: Final = {
    Kind.FIRST_RAMP: (_LABELLED, 0.18),
    Kind.FIRST_PEAK: (_LABELLED, 0.40),
    Kind.RAMP: (_UNLABELLED, 0.18),
    Kind.PEAK: (_UNLABELLED, 0.45),
}
_METRICS: Final = (
    ("cpu_ratio", "CPU\n%", 100.0),
    ("memory_ratio", "memory\n%", 100.0),
    ("network_bytes_per_s", "network\nMB/s", 1e-6),
    ("disk_ops_per_s", "disk\nops/s", 1.0),
)
_HEIGHTS: Final = (0.8, 0.8, 0.8, 0.8, 1.0, 1.5, 1.7)
_GAP_S: Final = 3.0
_TICK_S: Final = 30
_TITLE_WIDTH: Final = 85


def draw(record: Record, verdict: Verdict, path: Path) -> None:
    """Write the picture."""
    figure = Figure(figsize=(13, 10.5), dpi=110, facecolor="white")
    FigureCanvasAgg(figure)
    panels: Sequence[Axes] = figure.subplots(
        len(_HEIGHTS), 1, sharex=True, gridspec_kw={"height_ratios": _HEIGHTS, "hspace": 0.14}
    )
    for panel, (name, label, scale) in zip(panels, _METRICS, strict=False):
        _plot(panel, record, record.curves[name], label, colour=_INK, scale=scale)
    _chance(panels[-3], record)
    _evidence(panels[-2], record)
    _interval(panels[-1], record)
    for panel in panels:
        _shade(panel, record)
    _name_phases(panels, record)
    _clock(panels[-1], record)
    figure.align_ylabels(panels)
    title = textwrap.fill(story.headline(record, verdict), _TITLE_WIDTH)
    figure.suptitle(title, fontsize=17, fontweight="bold", color=_INK, x=0.5, y=0.985)
    figure.subplots_adjust(left=0.09, right=0.875, top=0.885, bottom=0.05)
    figure.savefig(path)


def _seconds(times_ns: Sequence[int], record: Record) -> Floats:
    return (np.array(times_ns, dtype=np.int64) - record.spans[0].start_ns) / NS_PER_S


def _plot(
    panel: Axes, record: Record, curve: Curve, label: str, *, colour: str, scale: float = 1.0
) -> tuple[Floats, Floats]:
    """Draw a curve, broken where nothing was measured for a while."""
    x, y = _seconds(curve.times_ns, record), scale * np.array(curve.values, dtype=np.float64)
    gaps = np.flatnonzero(np.diff(x) > _GAP_S) + 1
    x, y = np.insert(x, gaps, x[gaps - 1]), np.insert(y, gaps, np.nan)
    panel.plot(x, y, color=colour, linewidth=1.6, solid_joinstyle="round")
    panel.set_ylim(0, max(float(np.nanmax(y, initial=0)) * 1.12, 1e-3))
    _dress(panel, label)
    return x, y


def _chance(panel: Axes, record: Record) -> None:
    horizon = record.curves["horizon_s"].values
    ahead = f"in {horizon[-1]:.0f} s" if horizon else "soon"
    _plot(panel, record, record.curves["p_failed_within"], f"P(failed\n{ahead})", colour=_FORECAST)
    panel.set_ylim(0, 1.05)


def _evidence(panel: Axes, record: Record) -> None:
    x, y = _plot(panel, record, record.curves["evidence"], "evidence\ndecades", colour=_FORECAST)
    for this, after in pairwise([*record.alarms, Alarm(record.spans[-1].end_ns, np.nan)]):
        start_s, end_s = _seconds([this.time_ns, after.time_ns], record)
        panel.hlines(this.evidence, start_s, end_s, color=_SHORT, linewidth=1.4, linestyle=(0, (5, 3)))
        is_alarm = (x >= start_s) & (x <= end_s) & (y >= this.evidence)
        panel.fill_between(x, this.evidence, y, where=list(is_alarm), color=_SHORT, alpha=0.45, linewidth=0)
    if record.alarms:
        _beside(panel, record.alarms[-1].evidence, "alarm", _SHORT)


def _interval(panel: Axes, record: Record) -> None:
    x = _seconds([sample.time_ns for sample in record.samples], record)
    y = np.array([sample.interval_ms for sample in record.samples], dtype=np.float64)
    panel.step(x, y, where="post", color=_PALE, linewidth=1.2)
    for colour, is_so in ((_SHORT, y <= record.protective_ms), (_LONG, y > record.protective_ms)):
        panel.step(x, np.where(is_so, y, np.nan), where="post", color=colour, linewidth=5, solid_capstyle="butt")
    panel.set_yscale("log")
    panel.set_ylim(record.protective_ms / 2, record.calm_ms * 2)
    panel.yaxis.set_major_locator(FixedLocator([record.protective_ms, 100, record.calm_ms]))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_locator(NullLocator())
    _dress(panel, "checkpoint\ninterval ms")
    _beside(panel, record.protective_ms, "protective", _SHORT)
    _beside(panel, record.calm_ms, "calm", _LONG)


def _dress(panel: Axes, label: str) -> None:
    panel.set_ylabel(label, fontsize=12, color=_INK, rotation=0, ha="right", va="center", labelpad=8)
    panel.tick_params(labelsize=10.5, colors=_PALE, length=0)
    panel.yaxis.tick_right()
    panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
    panel.spines["bottom"].set_color("#bbbbbb")


def _beside(panel: Axes, y: float, text: str, colour: str) -> None:
    panel.annotate(
        text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(36, 0), textcoords="offset points",
        color=colour, fontsize=12, fontweight="bold", va="center", annotation_clip=False,
    )  # fmt: skip


def _shade(panel: Axes, record: Record) -> None:
    for span in record.spans:
        start_s, end_s = _seconds([span.start_ns, span.end_ns], record)
        if span.kind in _SHADES:
            colour, alpha = _SHADES[span.kind]
            panel.axvspan(start_s, end_s, color=colour, alpha=alpha, linewidth=0, zorder=0)
        if span.kind is Kind.TRAINING:
            panel.axvline(end_s, color=_LABELLED, linewidth=1.4, linestyle=(0, (1, 2)), zorder=0)


def _name_phases(panels: Sequence[Axes], record: Record) -> None:
    """Write above the panels what the machine went through."""
    x_of = {span.kind: _seconds([span.start_ns, span.end_ns], record) for span in record.spans}
    names = [
        (Kind.LEARNING, Kind.LEARNING, "calm, to learn from", _PALE),
        (Kind.FIRST_RAMP, Kind.FIRST_PEAK, "1st disturbance,\nlabelled", _LABELLED),
        (Kind.RAMP, Kind.RAMP, "2nd disturbance,\nunannounced", "#b9770e"),
        (Kind.PEAK, Kind.PEAK, "peak", "#b9770e"),
        (Kind.AFTER, Kind.AFTER, "calm", _PALE),
    ]
    for first, last, text, colour in names:
        if first in x_of and last in x_of:
            middle_s = float(x_of[first][0] + x_of[last][1]) / 2
            _write(panels[0], (middle_s, 1.1), text, colour, ha="center", va="bottom")
    trained_s = _seconds([next(span.end_ns for span in record.spans if span.kind is Kind.TRAINING)], record)[0]
    _write(panels[-2], (trained_s, 0.5), "model trained ", _LABELLED, ha="right", va="center")
    _write(panels[-1], (0.0, 0.5), " no model yet: doubt protects", _PALE, ha="left", va="center")


def _write(panel: Axes, place: tuple[float, float], text: str, colour: str, *, ha: str, va: str) -> None:
    """At `place`: seconds, and the height as a share of the panel's."""
    panel.text(
        *place, text, transform=panel.get_xaxis_transform(), ha=ha, va=va, color=colour, fontsize=12.5,
        fontweight="bold",
    )  # fmt: skip


def _clock(panel: Axes, record: Record) -> None:
    """Time of day along the bottom, every half minute."""
    start_ns, end_s = record.spans[0].start_ns, _seconds([record.spans[-1].end_ns], record)[0]
    first_s = -(start_ns / NS_PER_S) % _TICK_S
    panel.set_xlim(0, end_s)
    panel.xaxis.set_major_locator(FixedLocator(list(np.arange(first_s, end_s, _TICK_S))))
    panel.xaxis.set_major_formatter(
        FuncFormatter(lambda seconds, _: story.local_time(start_ns + round(seconds * NS_PER_S)))
    )
