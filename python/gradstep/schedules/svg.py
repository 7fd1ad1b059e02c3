"""The curve of a schedule as a small drawing in SVG, for notebooks. It needs nothing but NumPy."""

import itertools
from collections.abc import Iterator
from html import escape

import numpy as np
import numpy.typing as npt

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Schedule

__all__ = ["html", "steps_to_draw", "svg"]

WIDTH, HEIGHT = 420, 150
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 24  #: the room around the curve, for its labels
MOST_POINTS = 200
USUAL_STEPS = 1000  #: of a schedule at whose steps nothing happens
LONGEST_CODE = 2000
LAST_EXACT = 2**53  #: the largest step that is a float, as all below it

Point = tuple[float, float]


def html(schedule: Schedule) -> str:
    """The schedule's code above its curve."""
    code = shown(schedule)[:LONGEST_CODE]
    return f"<div><code>{escape(code)}</code><br/>{svg(schedule, steps_to_draw(schedule))}</div>"


def steps_to_draw(schedule: Schedule) -> int:
    """How many updates show all that happens: a little more than up to the last landmark.

    >>> from gradstep import Linear
    >>> steps_to_draw(Linear(1.0, 0.0, steps=100))
    111
    """
    last = max((mark.t for mark in schedule.landmarks()), default=0)
    return min(last + last // 10 + 1, LAST_EXACT) if last > 0 else USUAL_STEPS


def svg(schedule: Schedule, steps: int) -> str:
    """The values of the first `steps` updates; where the schedule has none, the curve has a gap."""
    t = np.unique(np.linspace(0, steps - 1, min(steps, MOST_POINTS)).round().astype(np.int64))
    values = _values(schedule, t)
    finite = np.isfinite(values)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    body = _curve(t, values, finite) if finite.any() else [_text(WIDTH / 2, HEIGHT / 2, "no finite value", "middle")]
    return "".join([head, *body, "</svg>"])


def _values(schedule: Schedule, t: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The values at these steps, NaN where there is none."""
    try:
        return np.asarray(schedule(t), np.float64)
    except (ValueError, ArithmeticError):
        return np.array([_value(schedule, int(each)) for each in t])


def _value(schedule: Schedule, t: int) -> float:
    try:
        return schedule(t)
    except (ValueError, ArithmeticError):
        return np.nan


def _curve(t: npt.NDArray[np.int64], values: npt.NDArray[np.float64], finite: npt.NDArray[np.bool_]) -> Iterator[str]:
    low, high = float(values[finite].min()), float(values[finite].max())
    across = max(int(t[-1]), 1)
    x = LEFT + t / across * (WIDTH - LEFT - RIGHT)
    floor, room = HEIGHT - BOTTOM, HEIGHT - TOP - BOTTOM
    # In halves, so that the distance of the largest floats is finite.
    up = (values / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.full(len(values), 0.5)
    y = floor - up * room
    yield f'<path d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}" fill="none" stroke="gray"/>'
    if high > low:
        yield _text(LEFT - 6, TOP + 4, f"{high:.4g}", "end")
        yield _text(LEFT - 6, floor + 4, f"{low:.4g}", "end")
    else:
        yield _text(LEFT - 6, (TOP + floor) / 2 + 4, f"{high:.4g}", "end")
    yield _text(LEFT, HEIGHT - 6, "0", "middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "updates already applied, t", "middle")
    yield _text(WIDTH - RIGHT, HEIGHT - 6, str(int(t[-1])), "end")
    is_stairs = _is_stairs(values[finite])
    for is_there, run in itertools.groupby(zip(finite, x, y, strict=True), key=lambda each: bool(each[0])):
        if is_there:
            path = _path([(float(to_right), float(down)) for _, to_right, down in run], is_stairs)
            yield f'<path d="{path}" fill="none" stroke="#1f77b4" stroke-width="2" stroke-linecap="round"/>'


def _is_stairs(values: npt.NDArray[np.float64]) -> bool:
    """Whether most values are that of the step before, and some are not."""
    changes = np.count_nonzero(np.diff(values))
    return bool(0 < changes < len(values) / 2)


def _path(points: list[Point], is_stairs: bool) -> str:
    (x, y), *others = points
    text = [f"M{x:.1f} {y:.1f}"]
    text += [f"H{x:.1f}V{y:.1f}" if is_stairs else f"L{x:.1f} {y:.1f}" for x, y in others]
    return "".join(text) if others else f"{text[0]}h0"  # a point, by its round cap


def _text(x: float, y: float, text: str, anchor: str) -> str:
    style = 'font-family="sans-serif" font-size="11" fill="gray"'
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {style}>{escape(text)}</text>'
