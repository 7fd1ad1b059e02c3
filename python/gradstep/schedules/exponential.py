"""Exponential decay, in its two spellings."""

from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, Flag, NotNegative, Real


class Decay(Schedule, abstract=True):
    """A formula in t / steps, or as a staircase in floor(t / steps)."""

    steps: Count
    staircase: Flag

    def code(self) -> list[Instruction]:
        numbers = {name: float(getattr(self, name)) for name in self.checks() if name != "staircase"}
        if not self.staircase:
            return [(self.operation, list(numbers.values()))]
        by_stair = (self.operation, list((numbers | {"steps": 1.0}).values()))
        return [("stretch", [float(self.steps), 1.0]), by_stair, ("back", [])]


@dataclass(frozen=True, eq=False, repr=False)
class ExponentialDecay(Decay):
    """A factor of `rate` every `steps` updates: ``f(t) = init * rate**(t / steps)``.

    init: the value at t = 0.
    rate: the factor, 0 or more; above 1 the value grows.
    steps: updates per factor, 1 or more. Default 1.
    staircase: use floor(t / steps), so that the value stays and then falls at once. Default False.

    t is the number of updates already applied; f(0) is used by the first update; a step takes the new
    value. It has no end. Raises ValueError or TypeError for arguments out of range.

    >>> ExponentialDecay(init=1.0, rate=0.25, steps=2)(range(5))
    array([1.    , 0.5   , 0.25  , 0.125 , 0.0625])
    """

    init: Real
    rate: NotNegative
    steps: Count = 1
    staircase: Flag = False


@dataclass(frozen=True, eq=False, repr=False)
class NaturalExpDecay(Decay):
    """Exponential decay by e: ``f(t) = init * exp(-rate * t / steps)``.

    init: the value at t = 0.
    rate: how fast it decays, in 1 / `steps` updates; any number, below 0 the value grows.
    steps: updates per unit of rate, 1 or more. Default 1.
    staircase: use floor(t / steps), so that the value stays and then falls at once. Default False.

    t is the number of updates already applied; f(0) is used by the first update; a step takes the new
    value. It has no end. Raises ValueError or TypeError for arguments out of range.

    >>> NaturalExpDecay(init=1.0, rate=0.5, steps=10)([0, 20])
    array([1.        , 0.36787944])
    """

    init: Real
    rate: Real
    steps: Count = 1
    staircase: Flag = False
