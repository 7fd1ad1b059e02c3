"""Curves of schedules. This needs matplotlib, so it is imported only to draw."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import count

MOST_POINTS = 1_000_000
MOST_DOTS = 60
WIDEST, THINNEST = 3.0, 1.4


def draw(axes: Axes, schedules: Mapping[str, Schedule], steps: int) -> None:
    """Draw the values of the first `steps` updates of each schedule, with its label.

    Later lines are thinner, so that coinciding lines all show. Up to 60 updates are marked with dots; of more than a
    million, evenly spaced ones are drawn.
    """
    t = np.linspace(0, count("steps", steps) - 1, min(steps, MOST_POINTS)).astype(np.int64)
    widths = np.geomspace(WIDEST, THINNEST, len(schedules)) if len(schedules) > 1 else [THINNEST]
    for (label, schedule), width in zip(schedules.items(), widths, strict=True):
        axes.plot(t, schedule(t), label=label, linewidth=width, marker="o" if steps <= MOST_DOTS else "")
    axes.set_xlabel("updates already applied, t")


def new_axes() -> Axes:
    """A new figure of pyplot, which notebooks and ``pyplot.show()`` display."""
    from matplotlib import pyplot  # here, because importing it looks for a display

    return pyplot.subplots(layout="constrained")[1]
