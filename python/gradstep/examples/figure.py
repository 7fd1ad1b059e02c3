"""Draw an example's curves. gradstep's thin line lies on torch's broad one, inside it where they agree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gradstep.examples.outcome import Line, Outcome, Panel, Picture

COLOURS = ("#c8551b", "#1f6fb2", "#2f8f5b", "#8a4fa8", "#b08a00", "#5a5a5a")
STROKES: dict[str, dict[str, Any]] = {
    "torch": {"linewidth": 6, "alpha": 0.3, "markersize": 12, "markeredgewidth": 0, "zorder": 1},
    "gradstep": {"linewidth": 1.4, "markersize": 6.5, "markeredgecolor": "white", "zorder": 3},
}
OTHERS: dict[str, Any] = {"linewidth": 2.5, "linestyle": (0, (1, 2)), "alpha": 0.9, "zorder": 2}
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "axes.titlesize": 11.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
}


def draw(outcome: Outcome, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(STYLE):
        figure = Figure(figsize=(4.9 * len(outcome.panels), 4.6), layout="constrained")
        FigureCanvasAgg(figure)  # no window and no global state of pyplot
        figure.suptitle(outcome.title, x=0.01, ha="left", fontweight="bold")
        axes = figure.subplots(1, len(outcome.panels), squeeze=False)[0]
        colours = _colours(outcome.panels)
        for axis, panel in zip(axes, outcome.panels, strict=True):
            if isinstance(panel, Picture):
                _draw_picture(axis, panel)
            else:
                _draw_panel(axis, panel, colours)
        _draw_legend(figure, axes)
        figure.savefig(path, dpi=150)


def _colours(panels: Sequence[Panel | Picture]) -> dict[str, str]:
    settings = dict.fromkeys(line.setting for panel in panels if isinstance(panel, Panel) for line in panel.lines)
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(settings)}


def _draw_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One for all panels: a label stands for the same in each."""
    handles = {label: h for axis in axes for h, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    columns = min(len(handles), 2 * len(axes))
    figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=columns, frameon=False)


def _draw_picture(axis: Axes, picture: Picture) -> None:
    axis.set_title(picture.title)
    rows, columns, height, width = picture.images.shape
    sheet = picture.images.swapaxes(1, 2).reshape(rows * height, columns * width)
    axis.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    axis.axis("off")


def _draw_panel(axis: Axes, panel: Panel, colours: dict[str, str]) -> None:
    axis.set_title(panel.title)
    axis.set_xlabel(panel.across)
    if "x" in panel.log:
        axis.set_xscale("log")
    else:
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_yscale("log" if "y" in panel.log else "linear")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for line in panel.lines:
        _draw_line(axis, line, colours[line.setting])
    axis.set_ylim(bottom=panel.floor)
    for label, height in (panel.goals or {}).items():
        axis.axhline(height, color="#555555", linewidth=0.9, linestyle="--", zorder=0)
        axis.annotate(label, (1, height), xycoords=("axes fraction", "data"), ha="right", va="bottom")


def _draw_line(axis: Axes, line: Line, colour: str) -> None:
    stroke = dict(STROKES.get(line.library, OTHERS))
    if line.marker:
        # Dots stand alone, since nothing was measured between them, and above all lines.
        stroke |= {"marker": line.marker, "linestyle": "none", "zorder": stroke["zorder"] + len(STROKES)}
    label = "" if line.marker else f"{line.setting}, {line.library}"
    axis.plot(line.x, line.y, color=colour, label=label, **stroke)
