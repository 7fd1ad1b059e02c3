"""The figure: each peer's time as a multiple of gradstep's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from gradstep_bench.results import Result
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.timing import YARDSTICK

__all__ = ["plot_results"]

_COLORS = {YARDSTICK: "#999999", "fused": "#dd8452", "NumPy blocked": "#dd8452", "folded": "#dd8452"}
_COLOR, _FOREACH = "#4c72b0", "#8fb0d9"


def plot_results(results: Sequence[Result], path: Path) -> None:
    """One panel for each case, one group of bars for each rule; 1 is gradstep's own time."""
    cases = list(dict.fromkeys(result.case for result in results))
    bars = {case: [r for r in results if r.case == case and r.contestant != GRADSTEP] for case in cases}
    heights = [len(bars[case]) + 2.5 for case in cases]
    figure = Figure(figsize=(9, 0.22 * sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)  # no window and no global state of pyplot
    panels = figure.subplots(len(cases), height_ratios=heights, sharex=True, squeeze=False)
    for case, panel in zip(cases, panels[:, 0], strict=True):
        _draw(panel, case, bars[case])
    panels[-1, 0].set_xlabel("time of one step, in steps of gradstep")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _draw(panel: Axes, case: str, bars: Sequence[Result]) -> None:
    places = range(len(bars))
    beyond = [bar.times_gradstep - 1 for bar in bars]
    drawn = panel.barh(places, beyond, left=1, color=[_color(bar.contestant) for bar in bars], height=0.8)
    panel.bar_label(drawn, [f"{bar.times_gradstep:.3g}" for bar in bars], padding=3, fontsize=7)
    panel.set_yticks(places, [f"{bar.rule}, {bar.contestant}" for bar in bars], fontsize=7)
    panel.set_ylim(len(bars) - 0.4, -0.6)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    panel.xaxis.set_minor_formatter("{x:g}")
    panel.tick_params("x", which="both", labelsize=7)
    panel.margins(x=0.15)
    panel.axvline(1, color="black", linewidth=1)
    panel.set_title(case, loc="left", fontweight="bold")
    panel.spines[["top", "right"]].set_visible(False)


def _color(contestant: str) -> str:
    return _COLORS.get(contestant, _FOREACH if contestant.endswith("foreach") else _COLOR)
