"""Schedules of a transformed step: delayed, stretched or repeated."""

import math
from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, Flag, Positive, Whole
from gradstep.schedules.landmarks import Landmark, within
from gradstep.schedules.operators import Operand, written


def at_mapped_steps(step_map: str, numbers: list[float], schedule: Schedule) -> list[Instruction]:
    """The program of a schedule that is evaluated at transformed steps."""
    return [(step_map, numbers), *schedule.code(), ("back", [])]


def later(schedule: Schedule, steps: int) -> list[Instruction]:
    """The program of a schedule that starts `steps` later."""
    return at_mapped_steps("delay", [float(steps)], schedule) if steps else schedule.code()


@dataclass(frozen=True, eq=False, repr=False)
class Shift(Schedule):
    """``s.shift(n)``: s delayed by n steps: ``f(t) = s(max(t - n, 0))``.

    Args:
        n: an integer. Above 0 the value stays at s(0) for n steps; below 0 the first update uses s(-n).

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> from gradstep import Linear
    >>> Linear(1.0, 0.0, 4).shift(-1)(range(4))
    array([0.75, 0.5 , 0.25, 0.  ])
    """

    base: Operand
    n: Whole

    def code(self) -> list[Instruction]:
        return later(self.base, self.n)

    def landmarks(self) -> list[Landmark]:
        return [mark.moved(mark.t + self.n) for mark in self.base.landmarks() if mark.t + self.n >= 0]

    def __repr__(self) -> str:
        return f"{written(self.base)}.shift({self.n})"


@dataclass(frozen=True, eq=False, repr=False)
class Stretch(Schedule):
    """``s.stretch(k)``: s, k times slower: ``f(t) = s(t / k)``, so that what took n steps takes k * n.

    It turns a schedule over epochs into one over updates: ``s.stretch(391)`` moves a little with every
    update, ``s.stretch(391, staircase=True)`` is what stepping s once per epoch of 391 updates gives. Raises
    ValueError or TypeError for arguments out of range.

    Args:
        k: any number above 0; below 1 the schedule runs faster.
        staircase: use floor(t / k), so that the value changes only every k steps. Default False.

    >>> from gradstep import Linear
    >>> Linear(1.0, 0.0, 4).stretch(2)(range(5))
    array([1.   , 0.875, 0.75 , 0.625, 0.5  ])
    >>> Linear(1.0, 0.0, 4).stretch(2, staircase=True)(range(5))
    array([1.  , 1.  , 0.75, 0.75, 0.5 ])
    """

    base: Operand
    k: Positive
    staircase: Flag = False

    def code(self) -> list[Instruction]:
        return at_mapped_steps("stretch", [self.k, float(self.staircase)], self.base)

    def landmarks(self) -> list[Landmark]:
        return [mark.moved(math.ceil(mark.t * self.k)) for mark in self.base.landmarks()]

    def __repr__(self) -> str:
        staircase = ", staircase=True" if self.staircase else ""
        return f"{written(self.base)}.stretch({self.k!r}{staircase})"


@dataclass(frozen=True, eq=False, repr=False)
class Repeat(Schedule):
    """``s.repeat(n)``: the first n steps of s, repeated: ``f(t) = s(t mod n)``.

    Args:
        n: the steps of one cycle, 1 or more.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> from gradstep import Linear
    >>> Linear(1.0, 0.0, 4).repeat(3)(range(7))
    array([1.  , 0.75, 0.5 , 1.  , 0.75, 0.5 , 1.  ])
    """

    base: Operand
    n: Count

    def code(self) -> list[Instruction]:
        return at_mapped_steps("repeat", [float(self.n)], self.base)

    def landmarks(self) -> list[Landmark]:
        return [*within(self.base.landmarks(), 0, self.n), Landmark(self.n, "starts over")]

    def __repr__(self) -> str:
        return f"{written(self.base)}.repeat({self.n})"
