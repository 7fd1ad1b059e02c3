"""Lines through given points."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Instruction
from gradstep.schedules.fields import Check, count_or_zero, real, sequence
from gradstep.schedules.finite import Ending, Past
from gradstep.schedules.landmarks import Landmark


def pairs(first: Check, second: Check) -> Check:
    """A check of a list of pairs, with one check for the first and one for the second half."""

    def pair(name: str, value: Any) -> tuple[Any, Any]:
        try:
            a, b = value
        except (TypeError, ValueError):
            raise TypeError(f"{name} is {shown(value)}: it must be a pair of numbers") from None
        return first(f"{name}[0]", a), second(f"{name}[1]", b)

    return lambda name, value: sequence(name, value, pair)


@dataclass(frozen=True, eq=False, repr=False)
class PiecewiseLinear(Ending):
    """Straight lines from point to point: f(t_i) = v_i, and in between
    ``f(t) = v_i + (v_(i+1) - v_i) * (t - t_i) / (t_(i+1) - t_i)``.

    t counts the updates already applied, so the first update uses f(0). The end is the last point, and
    "extrapolate" continues the last line.

    Args:
        points: two pairs (t_i, v_i) or more, with increasing steps. Before the first step the value is v_0.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> PiecewiseLinear([(0, 0.0), (2, 1.0), (6, 0.5)])(range(8))
    array([0.   , 0.5  , 1.   , 0.875, 0.75 , 0.625, 0.5  , 0.5  ])
    """

    points: Annotated[Sequence[tuple[int, float]], pairs(count_or_zero, real)]
    past: Past = field(default="hold", kw_only=True)

    def validate(self) -> None:
        if len(self.points) < 2:
            raise ValueError(f"points is {shown(list(self.points))}: give two or more")
        for (before, _), (after, _) in itertools.pairwise(self.points):
            if after <= before:
                raise ValueError(
                    f"points is {shown(list(self.points))}: its steps must increase, but {after} follows {before}"
                )

    @property
    def length(self) -> int:
        return self.points[-1][0]

    def formula(self) -> list[Instruction]:
        steps, values = zip(*self.points, strict=True)
        return [(self.operation, [*map(float, steps), *values])]

    def landmarks(self) -> list[Landmark]:
        return [*(Landmark(t, "turns") for t, _ in self.points[1:-1]), *super().landmarks()]
