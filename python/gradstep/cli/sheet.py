"""The sheet that `gradstep plot` draws: several schedules, and below them their expressions."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from cycler import cycler
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from gradstep.cli.style import COLOURS, STYLE
from gradstep.schedules import Schedule
from gradstep.schedules.plot import draw as draw_lines

LINE_STYLES = ("-", "--", ":")
LINE = 100
"""Characters of an expression that fit on a line under the curves."""
DECADES = 6
"""Below the peak, on a logarithmic scale: a curve that ends at 0 would take them all."""


def draw(schedules: Mapping[str, Schedule], steps: int, log: bool, path: Path) -> None:
    """Writes a picture of the first `steps` updates of each schedule, by its label."""
    labelled = {textwrap.fill(label, LINE, subsequent_indent="    "): each for label, each in schedules.items()}
    rows = sum(label.count("\n") + 1 for label in labelled)
    with rc_context(STYLE | {"axes.prop_cycle": cycler(linestyle=LINE_STYLES) * cycler(color=COLOURS)}):
        figure = Figure(figsize=(9, 4.2 + 0.24 * rows), layout="constrained")
        FigureCanvasAgg(figure)  # no window and no global state of pyplot
        axes = figure.subplots()
        draw_lines(axes, labelled, steps)
        axes.set_title("rate")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=True)
        if log:
            axes.set_yscale("log")
            bottom, top = axes.get_ylim()
            axes.set_ylim(max(bottom, top * 10.0**-DECADES), top)
        figure.legend(loc="outside lower left", frameon=False, prop={"family": "monospace", "size": 9})
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
