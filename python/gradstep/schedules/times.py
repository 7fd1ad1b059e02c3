"""Schedules that see another time: later, slower, or over and over."""

import math
from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, Flag, Positive, Whole
from gradstep.schedules.landmarks import Landmark, within
from gradstep.schedules.operators import Operand, written


def seen_through(clock: str, numbers: list[float], schedule: Schedule) -> list[Instruction]:
    """The program of a schedule that sees the time of a clock."""
    return [(clock, numbers), *schedule.code(), ("back", [])]


def later(schedule: Schedule, steps: int) -> list[Instruction]:
    """The program of a schedule that starts `steps` later."""
    return seen_through("delay", [float(steps)], schedule) if steps else schedule.code()


@dataclass(frozen=True, eq=False, repr=False)
class Shift(Schedule):
    """``s.shift(n)``: s moved n steps later: ``f(t) = s(max(t - n, 0))``.

    n: steps, an integer. Above 0 the schedule waits at s(0) for n steps; below 0 it starts inside: s(-n) is
        used by the first update.

    Raises ValueError or TypeError for arguments out of range.

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
    """``s.stretch(k)``: s goes k times slower: ``f(t) = s(t / k)``, so that what took n steps takes k * n.

    k: above 0, any number; below 1 the schedule goes faster.
    staircase: use floor(t / k), so that the value changes only with every k-th step. Default False.

    It turns a schedule over epochs into one over updates: ``s.stretch(391)`` moves a little with every
    update, ``s.stretch(391, staircase=True)`` is what stepping s once per epoch of 391 updates gives. Raises
    ValueError or TypeError for arguments out of range.

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
        return seen_through("stretch", [self.k, float(self.staircase)], self.base)

    def landmarks(self) -> list[Landmark]:
        return [mark.moved(math.ceil(mark.t * self.k)) for mark in self.base.landmarks()]

    def __repr__(self) -> str:
        staircase = ", staircase=True" if self.staircase else ""
        return f"{written(self.base)}.stretch({self.k!r}{staircase})"


@dataclass(frozen=True, eq=False, repr=False)
class Repeat(Schedule):
    """``s.repeat(n)``: the first n steps of s, over and over: ``f(t) = s(t mod n)``.

    n: steps of one cycle, 1 or more. The step n takes s(0) again.

    Raises ValueError or TypeError for arguments out of range.

    >>> from gradstep import Linear
    >>> Linear(1.0, 0.0, 4).repeat(3)(range(7))
    array([1.  , 0.75, 0.5 , 1.  , 0.75, 0.5 , 1.  ])
    """

    base: Operand
    n: Count

    def code(self) -> list[Instruction]:
        return seen_through("repeat", [float(self.n)], self.base)

    def landmarks(self) -> list[Landmark]:
        return [*within(self.base.landmarks(), 0, self.n), Landmark(self.n, "starts over")]

    def __repr__(self) -> str:
        return f"{written(self.base)}.repeat({self.n})"
