"""Schedules made of other schedules. Each has an operator or a method of `Schedule` that makes it."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from gradstep.schedules.base import Instruction, Schedule, as_schedule
from gradstep.schedules.constant import Constant
from gradstep.schedules.fields import CountOrZero, OptionalReal, Whole


def operand(name: str, value: Any) -> Schedule:
    try:
        return as_schedule(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


Operand = Annotated[Schedule, operand]


def written(schedule: Schedule) -> str:
    """A schedule as the left side of a method: a binary operator needs parentheses there."""
    return f"({schedule!r})" if isinstance(schedule, Binary) else repr(schedule)


def later(schedule: Schedule, steps: int) -> list[Instruction]:
    """The program of a schedule that starts `steps` later."""
    return [("delay", [float(steps)]), *schedule.code(), ("back", [])] if steps else schedule.code()


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Schedule, abstract=True):
    """Two schedules, of which `combined` makes one value at each step."""

    left: Operand
    right: Operand

    sign: ClassVar[str]
    combined: ClassVar[str]

    def code(self) -> list[Instruction]:
        return [*self.left.code(), *self.right.code(), (self.combined, [])]

    def __repr__(self) -> str:
        numbers = isinstance(self.left, Constant) and isinstance(self.right, Constant)
        sides = [self.side(self.left, numbers), self.side(self.right, False)]
        return f" {self.sign} ".join(sides)

    def side(self, schedule: Schedule, in_full: bool) -> str:
        if isinstance(schedule, Constant) and not in_full:
            return repr(schedule.value)
        return written(schedule)


class Product(Binary):
    """``a * b``: the product of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (Linear(1.0, 0.0, 4) * 0.5)(range(3))
    array([0.5  , 0.375, 0.25 ])
    """

    sign = "*"
    combined = "times"


class Sum(Binary):
    """``a + b``: the sum of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (Linear(1.0, 0.0, 4) + 0.5)(range(3))
    array([1.5 , 1.25, 1.  ])
    """

    sign = "+"
    combined = "plus"


class Difference(Binary):
    """``a - b``: the difference of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (1 - Linear(1.0, 0.0, 4))(range(3))
    array([0.  , 0.25, 0.5 ])
    """

    sign = "-"
    combined = "minus"


@dataclass(frozen=True, eq=False, repr=False)
class Clip(Schedule):
    """``s.clip(lo, hi)``: the values of s, but never below lo nor above hi: ``min(max(s(t), lo), hi)``.

    lo, hi: numbers, lo <= hi; None (the default) is no bound, and one of them must be given.

    Raises ValueError or TypeError for arguments out of range.

    >>> from gradstep import Linear
    >>> Linear(1.0, 0.0, 4).clip(lo=0.3)(range(6))
    array([1.  , 0.75, 0.5 , 0.3 , 0.3 , 0.3 ])
    """

    base: Operand
    lo: OptionalReal = None
    hi: OptionalReal = None

    def validate(self) -> None:
        if self.lo is None and self.hi is None:
            raise ValueError("clip has neither lo nor hi: give at least one of them")
        if self.lo is not None and self.hi is not None and self.lo > self.hi:
            raise ValueError(f"lo is {self.lo} and hi is {self.hi}: lo must not be above hi")

    def code(self) -> list[Instruction]:
        code = self.base.code()
        for bound, operation in ((self.lo, "larger"), (self.hi, "smaller")):
            if bound is not None:
                code += [*Constant(bound).code(), (operation, [])]
        return code

    def __repr__(self) -> str:
        bounds = {"lo": self.lo, "hi": self.hi}
        given = (f"{name}={value!r}" for name, value in bounds.items() if value is not None)
        return f"{written(self.base)}.clip({', '.join(given)})"


@dataclass(frozen=True, eq=False, repr=False)
class Then(Schedule):
    """``a.then(b, at=n)``: a until t == n - 1; from t == n on b, which sees its own time t - n.

    second: a schedule or a number.
    at: the step that takes b(0), 0 or more.

    The value at `at` is the new one. Raises ValueError or TypeError for arguments out of range.

    >>> from gradstep import Constant, Linear
    >>> Constant(1.0).then(Linear(1.0, 0.0, 2), at=3)(range(7))
    array([1. , 1. , 1. , 1. , 0.5, 0. , 0. ])
    """

    first: Operand
    second: Operand
    at: CountOrZero

    def code(self) -> list[Instruction]:
        return [*self.first.code(), *later(self.second, self.at), ("then", [float(self.at)])]

    def __repr__(self) -> str:
        return f"{written(self.first)}.then({self.second!r}, at={self.at})"


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

    def __repr__(self) -> str:
        return f"{written(self.base)}.shift({self.n})"
