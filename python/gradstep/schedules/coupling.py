"""Schedules that depend on another one: smoothed, tied to its range, or scaled layer by layer."""

import itertools
from dataclasses import dataclass

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.constant import Constant
from gradstep.schedules.fields import Count, Flag, Fraction, Real, natural, positive
from gradstep.schedules.limits import limits
from gradstep.schedules.operators import Operand, operand, written
from gradstep.schedules.value import computed_once


@dataclass(frozen=True, eq=False, repr=False)
class Smooth(Schedule):
    """``s.smooth(momentum, steps)``: an exponential moving average of s, which turns jumps into slopes.

    ``f(0) = s(0)`` and ``f(t) = s(t) + momentum * (f(t - 1) - s(t))``.

    The recursion is done once, into a table, so that any step can be asked for at the same cost. Raises
    ValueError or TypeError for arguments out of range, and where s has no value at a step up to `steps`.

    Args:
        momentum: the weight of the past, 0 or more and below 1; n updates after its first, a jump has shrunk to
            momentum**n of itself.
        steps: the last step of the average, 1 or more; after it the value stays.

    >>> from gradstep import Piecewise
    >>> Piecewise([2], [0.0, 1.0]).smooth(momentum=0.5, steps=5)(range(8))
    array([0.    , 0.    , 0.5   , 0.75  , 0.875 , 0.9375, 0.9375, 0.9375])
    """

    base: Operand
    momentum: Fraction
    steps: Count

    def numbers(self) -> int:
        return self.steps + 1

    def code(self) -> list[Instruction]:
        values = self.base(range(self.steps + 1)).tolist()
        return [("table", [*itertools.accumulate(values, lambda past, now: now + self.momentum * (past - now))])]

    def __repr__(self) -> str:
        return f"{written(self.base)}.smooth({self.momentum!r}, {self.steps})"


@dataclass(frozen=True, eq=False, repr=False)
class Tied(Schedule):
    """The schedule that ``tied(to, lo, hi, steps, invert)`` makes: see there."""

    to: Operand
    lo: Real
    hi: Real
    steps: Count
    invert: Flag = False

    def numbers(self) -> int:
        return self.steps + 1

    def validate(self) -> None:
        if self.lo > self.hi:
            raise ValueError(f"lo is {self.lo} and hi is {self.hi}: lo must not be above hi; see invert")
        low, high = self.bounds
        if low == high:
            raise ValueError(
                f"to is {low} at every step up to {self.steps}: a range of one value can't be mapped onto "
                "[lo, hi]; tie to a schedule that changes"
            )

    @computed_once
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value of `to`."""
        values = self.to(range(self.steps + 1))
        return float(values.min()), float(values.max())

    def code(self) -> list[Instruction]:
        ends = (self.hi, self.lo) if self.invert else (self.lo, self.hi)
        return [*self.to.code(), ("rescale", [*self.bounds, *ends])]

    def __repr__(self) -> str:
        invert = ", invert=True" if self.invert else ""
        return f"tied({self.to!r}, {self.lo!r}, {self.hi!r}, {self.steps}{invert})"


def tied(to: Schedule, lo: float, hi: float, steps: int, invert: bool = False) -> Schedule:
    """The range of another schedule mapped onto [lo, hi]: ``f(t) = lo + (hi - lo) * (to(t) - l) / (h - l)``.

    It can lower momentum while a cyclic rate rises, for example.

    Args:
        to: the other schedule; l and h are its lowest and highest value from t = 0 to t == steps.
        lo, hi: the values at l and h, reached exactly; lo <= hi. Later values stay between them too.
        steps: the last step of the range, 1 or more.
        invert: hi at l and lo at h, so that this schedule falls where the other rises. Default False.

    Raises:
        ValueError, TypeError: an argument is out of range, or `to` never changes.

    Source: Smith 2018, arXiv:1803.09820, section 4.3.

    >>> from gradstep import Linear, tied
    >>> rate = Linear(0.1, 0.5, 2, past="mirror")
    >>> tied(to=rate, lo=0.85, hi=0.95, steps=4, invert=True)(range(5))
    array([0.95, 0.9 , 0.85, 0.9 , 0.95])
    """
    return Tied(operand("to", to), lo, hi, steps, invert)


def layerwise(s: Schedule | float, layers: int, decay: float) -> list[Schedule]:
    """One schedule per layer: the last layer has s, each earlier one `decay` times the rate of the next.

    ``f_i(t) = s(t) * decay**(layers - 1 - i)`` for the layers i = 0 to layers - 1, of which 0 is
    nearest to the input.

    Args:
        s: a schedule or a number, the rate of the last layer.
        layers: the number of layers, 1 or more.
        decay: the factor, above 0; usually from 0.65 to 0.95.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Howard and Ruder 2018, arXiv:1801.06146, section 3.2 (discriminative fine-tuning).

    >>> from gradstep import CosineDecay, layerwise
    >>> [each(0) for each in layerwise(CosineDecay(1.0, 100), layers=3, decay=0.5)]
    [0.25, 0.5, 1.0]
    """
    top, factor = operand("s", s), Constant(positive("decay", decay))
    count = natural("layers", layers)
    limits.check("numbers", count, f"layerwise would make {shown(count)} schedules")
    return [top * factor**depth for depth in range(count - 1, 0, -1)] + [top]
