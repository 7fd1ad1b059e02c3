"""Decays by a power of the step."""

from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.exponential import Decay
from gradstep.schedules.fields import Count, Flag, NotNegative, Positive, Real


@dataclass(frozen=True, eq=False, repr=False)
class InverseTimeDecay(Decay):
    """Hyperbolic decay: ``f(t) = init / (1 + rate * t / steps)**power``.

    The formula divides init, not the previous value, so it does not compound. t is the number of updates already
    applied; f(0) is used by the first update; at a step the value is already the new one. It has no end.

    Args:
        init: the value at t = 0.
        rate: the decay per `steps` updates, 0 or more.
        steps: updates per unit of rate, 1 or more. Default 1.
        power: above 0. Default 1, which is "1/t" decay.
        staircase: use floor(t / steps), so that the value changes only every `steps` updates. Default False.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Robbins and Monro 1951.

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

    t counts the updates already applied, so the first update uses f(0). It has no end.

    Args:
        init: the value at t = 0 if shift is 0.
        timescale: updates after which the square of the value has halved, above 0. Default 1: init / sqrt(n) for the
            n-th update.
        shift: added to t, above -timescale. Default 0. The attribute is `shift_`, because `shift` is a method.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Zhai et al. 2021, arXiv:2106.04560.

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


@dataclass(frozen=True, eq=False, repr=False)
class PowerLaw(Schedule):
    """A power of the step: ``f(t) = init * (1 + t / timescale)**power``.

    t counts the updates already applied, so the first update uses f(0). It has no end; ``.clip(lo)`` bounds
    it below.

    Args:
        init: the value at t = 0.
        timescale: updates after which the base of the power has doubled, above 0.
        power: any number; below 0 the value decays.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> PowerLaw(init=1.0, timescale=10, power=-2)([0, 10, 90])
    array([1.  , 0.25, 0.01])
    """

    init: Real
    timescale: Positive
    power: Real

    def code(self) -> list[Instruction]:
        return [("inverse_time_decay", [self.init, 1.0, self.timescale, -self.power])]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Noam(Schedule):
    """The Transformer's rate, for the n-th update with n = t + 1:
    ``f(t) = scale / sqrt(d_model) * min(1 / sqrt(n), n / warmup**1.5)``.

    t counts the updates already applied, so the first update uses f(0). It has no end.

    Args:
        d_model: the width of the model, above 0.
        warmup: the updates of the rise, 1 or more; the last of them uses the peak, scale / sqrt(d_model * warmup). The
            attribute is `warmup_`, because `warmup` is a method.
        scale: a factor. Default 1.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 3, which counts updates from 1.

    >>> Noam(d_model=4, warmup=4)([0, 3, 15])
    array([0.0625, 0.25  , 0.125 ])
    """

    d_model: Positive
    warmup_: Count
    scale: Real = 1.0

    def __init__(self, d_model: float, warmup: int, scale: float = 1.0) -> None:
        for name, value in (("d_model", d_model), ("warmup_", warmup), ("scale", scale)):
            object.__setattr__(self, name, value)
        self.__post_init__()
