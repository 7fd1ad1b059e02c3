"""The picture of a range test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.lr_finder.curve import smooth
from gradstep.lr_finder.suggestions import FEWEST, Suggestions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gradstep.lr_finder.finder import LRFinder

# Colours and strokes, so that lines at the same rate are both visible.
MARKS = {"steepest": ("#c8551b", "-"), "valley": ("#2f8f5b", "--"), "tenth_of_minimum": ("#8a4fa8", ":")}
CURVE = "#1f6fb2"
WHY = {"diverged": "stopped: the loss diverged", "not finite": "stopped: the loss was NaN or infinite", None: ""}


def draw(finder: LRFinder, ax: Axes | None) -> Axes:
    if not len(finder.losses):
        raise ValueError("there is nothing to plot: run the test first, with a finite loss (for lr in finder: ...)")
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.figure(layout="constrained").add_subplot()
    _draw_losses(ax, finder)
    _mark(ax, finder.suggestion())
    ax.set_xscale("log")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    ax.set_title(WHY[finder.stopped], loc="right", fontsize="small", color="#555555")
    ax.legend(frameon=False)
    return ax


def _draw_losses(ax: Axes, finder: LRFinder) -> None:
    ax.plot(finder.rates, finder.losses, ".", color=CURVE, alpha=0.35, label="loss")
    if len(finder.rates) >= FEWEST:
        curve = smooth(np.log10(finder.rates), finder.losses, finder.smoothing)
        ax.plot(10**curve.x, curve.loss, color=CURVE, label="smoothed")
    # The last losses of a diverged test would flatten all others.
    before = finder.losses[: np.argmin(finder.losses) + 1]
    low, high = before.min(), before.max()
    margin = 0.25 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _mark(ax: Axes, suggestions: Suggestions) -> None:
    for name, rate in suggestions.rates().items():
        spread = suggestions.spread[name]
        if rate is not None and spread is not None:
            colour, stroke = MARKS[name]
            ax.axvspan(*spread, color=colour, alpha=0.15, linewidth=0)
            ax.axvline(rate, color=colour, linestyle=stroke, label=f"{name.replace('_', ' ')}: {rate:.3g}")
