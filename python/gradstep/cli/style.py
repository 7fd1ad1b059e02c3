"""The look of every figure that the commands draw, for `matplotlib.rc_context`."""

from typing import Any

COLOURS = ("#c8551b", "#1f6fb2", "#2f8f5b", "#8a4fa8", "#b08a00", "#5a5a5a", "#d0609a", "#00a0a0")
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
