"""Draw an example's curves. gradstep's thin line lies on torch's broad one, inside it where they agree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gradstep.cli.style import COLOURS, STYLE
from gradstep_demo.outcome import Line, Outcome, Panel, Picture

ACROSS = 4  # panels in a row at most
LABELS = 3  # in a row under each panel at most
STROKES: dict[str, dict[str, Any]] = {
    "torch": {"linewidth": 6, "alpha": 0.3, "markersize": 12, "markeredgewidth": 0, "zorder": 1},
    "gradstep": {"linewidth": 1.4, "markersize": 6.5, "markeredgecolor": "white", "zorder": 3},
}
OTHERS: dict[str, Any] = {"linewidth": 2.5, "linestyle": (0, (1, 2)), "alpha": 0.9, "zorder": 2}


class Pens:
    """A colour for each setting, a stroke for each library, and a name for what both draw."""

    def __init__(self, panels: Sequence[Panel | Picture]) -> None:
        lines = [line for panel in panels if isinstance(panel, Panel) for line in panel.lines]
        settings = dict.fromkeys(line.setting for line in lines)
        self.colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(settings)}
        self.libraries = {line.library for line in lines}
        self.labels = {self.label(line) for line in lines}

    def draw(self, axis: Axes, line: Line) -> None:
        stroke = dict(STROKES.get(line.library, OTHERS))
        if line.marker:
            # Dots stand alone, since nothing was measured between them, and above all lines.
            stroke |= {"marker": line.marker, "linestyle": "none", "zorder": stroke["zorder"] + len(STROKES)}
        label = "" if line.marker else self.label(line)
        axis.plot(line.x, line.y, color=self.colours[line.setting], label=label, **stroke)

    def label(self, line: Line) -> str:
        return line.setting if len(self.libraries) == 1 else f"{line.setting}, {line.library}"


def draw(outcome: Outcome, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = -(-len(outcome.panels) // ACROSS)
    columns = -(-len(outcome.panels) // rows)
    pens = Pens(outcome.panels)
    with rc_context(STYLE):
        height = 4.2 * rows + 0.25 * -(-len(pens.labels) // (LABELS * columns))
        figure = Figure(figsize=(4.9 * columns, height), layout="constrained")
        FigureCanvasAgg(figure)  # no window and no global state of pyplot
        figure.suptitle(outcome.title, x=0.01, ha="left", fontweight="bold")
        axes = [figure.add_subplot(rows, columns, number + 1) for number in range(len(outcome.panels))]
        for axis, panel in zip(axes, outcome.panels, strict=True):
            if isinstance(panel, Picture):
                _draw_picture(axis, panel)
            else:
                _draw_panel(axis, panel, pens)
        _draw_legend(figure, axes, LABELS * columns)
        figure.savefig(path, dpi=150)


def _draw_legend(figure: Figure, axes: Sequence[Axes], columns: int) -> None:
    """One for all panels: a label stands for the same in each."""
    handles = {label: h for axis in axes for h, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=columns, frameon=False)


def _draw_picture(axis: Axes, picture: Picture) -> None:
    axis.set_title(picture.title)
    rows, columns, height, width = picture.images.shape
    sheet = picture.images.swapaxes(1, 2).reshape(rows * height, columns * width)
    axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    axis.axis("off")


def _draw_panel(axis: Axes, panel: Panel, pens: Pens) -> None:
    axis.set_title(panel.title)
    axis.set_xlabel(panel.across)
    if "x" in panel.log:
        axis.set_xscale("log")
    else:
        axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.set_yscale("log" if "y" in panel.log else "linear")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    for line in panel.lines:
        pens.draw(axis, line)
    axis.set_ylim(bottom=panel.floor)
    for label, height in (panel.goals or {}).items():
        axis.axhline(height, color="#555555", linewidth=0.9, linestyle="--", zorder=0)
        axis.annotate(label, (1, height), xycoords=("axes fraction", "data"), ha="right", va="bottom")
