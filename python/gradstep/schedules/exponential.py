"""Exponential decay, by a factor and by a rate of e."""

from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, Flag, NotNegative, Real


class Decay(Schedule, abstract=True):
    """A formula in t / steps or, as a staircase, in floor(t / steps)."""

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

    t counts the updates already applied, so the first update uses f(0); at a step the value is already the new one. It
    has no end.

    Args:
        init: the value at t = 0.
        rate: the factor, 0 or more; above 1 the value grows.
        steps: updates per factor, 1 or more. Default 1.
        staircase: use floor(t / steps), so that the value changes only every `steps` updates. Default False.

    Raises:
        ValueError, TypeError: an argument is out of range.

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

    t counts the updates already applied, so the first update uses f(0); at a step the value is already the new one. It
    has no end.

    Args:
        init: the value at t = 0.
        rate: the decay per `steps` updates; any number. Below 0 the value grows.
        steps: updates per unit of rate, 1 or more. Default 1.
        staircase: use floor(t / steps), so that the value changes only every `steps` updates. Default False.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> NaturalExpDecay(init=1.0, rate=0.5, steps=10)([0, 20])
    array([1.        , 0.36787944])
    """

    init: Real
    rate: Real
    steps: Count = 1
    staircase: Flag = False
