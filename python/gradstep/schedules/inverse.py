"""Decays by a power of the time."""

from dataclasses import dataclass

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Count, Flag, NotNegative, Positive, Real


@dataclass(frozen=True, eq=False, repr=False)
class InverseTimeDecay(Schedule):
    """Hyperbolic decay: ``f(t) = init / (1 + rate * t / steps)**power``.

    init: the value at t = 0.
    rate: how fast it decays, 0 or more.
    steps: updates per unit of rate, 1 or more. Default 1.
    power: above 0. Default 1, which is "1/t" decay.
    staircase: use floor(t / steps), so that the value stays and then falls at once. Default False.

    The formula divides init, not the previous value, so it does not compound. t is the number of updates
    already applied; f(0) is used by the first update; a step takes the new value. It has no end. Raises
    ValueError or TypeError for arguments out of range. Source: Robbins and Monro 1951.

    >>> InverseTimeDecay(init=1.0, rate=1.0)(range(4))
    array([1.        , 0.5       , 0.33333333, 0.25      ])
    """

    init: Real
    rate: NotNegative
    steps: Count = 1
    power: Positive = 1.0
    staircase: Flag = False


@dataclass(frozen=True, eq=False, repr=False, init=False)
class InverseSqrtDecay(Schedule):
    """Decay by the square root: ``f(t) = init / sqrt(1 + (t + shift) / timescale)``.

    init: the value at t = 0 if shift is 0.
    timescale: updates after which the square has halved, above 0. Default 1: init / sqrt(n) for the n-th
        update.
    shift: updates that count as already made, above -timescale. Default 0. It is kept as `shift_`, because
        `shift` is the method.

    t is the number of updates already applied; f(0) is used by the first update. It has no end. Raises
    ValueError or TypeError for arguments out of range. Source: Zhai et al. 2021, arXiv:2106.04560.

    >>> InverseSqrtDecay(init=1.0)([0, 3, 99])
    array([1. , 0.5, 0.1])
    """

    init: Real
    timescale: Positive = 1.0
    shift_: Real = 0.0

    def __init__(self, init: float, timescale: float = 1.0, shift: float = 0.0) -> None:
        for name, value in (("init", init), ("timescale", timescale), ("shift_", shift)):
            object.__setattr__(self, name, value)
        self.__post_init__()

    def validate(self) -> None:
        if self.shift_ <= -self.timescale:
            raise ValueError(
                f"shift is {self.shift_}: it must be above -timescale = {-self.timescale}, or the first "
                "value divides by a root of 0 or less"
            )
