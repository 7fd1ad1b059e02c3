"""Schedules that operators, methods and functions make of the values of others."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from gradstep.schedules.base import Instruction, Schedule, as_schedule
from gradstep.schedules.constant import Constant
from gradstep.schedules.fields import OptionalReal, Real


def operand(name: str, value: Any) -> Schedule:
    try:
        return as_schedule(value)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


Operand = Annotated[Schedule, operand]


class Expression(Schedule, abstract=True):
    """A schedule that is written with the sign of an operator."""


def written(schedule: Schedule) -> str:
    """A schedule as a part of an expression or before a method, in parentheses where they are needed."""
    return f"({schedule!r})" if isinstance(schedule, Expression) else repr(schedule)


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Schedule, abstract=True):
    """Two schedules, whose values `combined` combines at each step."""

    left: Operand
    right: Operand

    combined: ClassVar[str]

    def code(self) -> list[Instruction]:
        return [*self.left.code(), *self.right.code(), (self.combined, [])]


class Infix(Binary, Expression, abstract=True):
    """An operator between two schedules. A number is written as it was given."""

    sign: ClassVar[str]

    def __repr__(self) -> str:
        numbers = isinstance(self.left, Constant) and isinstance(self.right, Constant)
        sides = [self.side(self.left, numbers), self.side(self.right, False)]
        return f" {self.sign} ".join(sides)

    def side(self, schedule: Schedule, in_full: bool) -> str:
        if isinstance(schedule, Constant) and not in_full:
            return repr(schedule.value)
        return written(schedule)


class Product(Infix):
    """``a * b``: the product of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (Linear(1.0, 0.0, 4) * 0.5)(range(3))
    array([0.5  , 0.375, 0.25 ])
    """

    sign = "*"
    combined = "times"


class Sum(Infix):
    """``a + b``: the sum of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (Linear(1.0, 0.0, 4) + 0.5)(range(3))
    array([1.5 , 1.25, 1.  ])
    """

    sign = "+"
    combined = "plus"


class Difference(Infix):
    """``a - b``: the difference of two schedules, or of a schedule and a number, at every step.

    >>> from gradstep import Linear
    >>> (1 - Linear(1.0, 0.0, 4))(range(3))
    array([0.  , 0.25, 0.5 ])
    """

    sign = "-"
    combined = "minus"


class Quotient(Infix):
    """``a / b``: the quotient of two schedules, or of a schedule and a number, at every step.

    It raises ValueError at a step where b is 0.

    >>> from gradstep import Linear
    >>> (1 / Linear(1.0, 5.0, 4))(range(3))
    array([1.        , 0.5       , 0.33333333])
    """

    sign = "/"
    combined = "over"


@dataclass(frozen=True, eq=False, repr=False)
class Negative(Expression):
    """``-s``: the negated values of a schedule.

    >>> from gradstep import Linear
    >>> (-Linear(1.0, 0.0, 4))(range(3))
    array([-1.  , -0.75, -0.5 ])
    """

    base: Operand

    def code(self) -> list[Instruction]:
        return [*self.base.code(), ("negative", [])]

    def __repr__(self) -> str:
        return f"-{written(self.base)}"


@dataclass(frozen=True, eq=False, repr=False)
class Power(Expression):
    """``s ** k``: the values of a schedule to the power of a number.

    Args:
        exponent: any finite number. The schedule raises ValueError at a step where there is no finite value: a negative
            value with a fractional exponent, or 0 with a negative one.

    >>> from gradstep import Linear
    >>> (Linear(1.0, 0.0, 4) ** 2)(range(3))
    array([1.    , 0.5625, 0.25  ])
    """

    base: Operand
    exponent: Real

    def code(self) -> list[Instruction]:
        return [*self.base.code(), ("raised", [self.exponent])]

    def __repr__(self) -> str:
        return f"{written(self.base)} ** {self.exponent!r}"


class Minimum(Binary):
    """``minimum(a, b)``: the smaller of the values of two schedules at every step."""

    combined = "smaller"

    def __repr__(self) -> str:
        return f"minimum({self.left!r}, {self.right!r})"


class Maximum(Binary):
    """``maximum(a, b)``: the larger of the values of two schedules at every step."""

    combined = "larger"

    def __repr__(self) -> str:
        return f"maximum({self.left!r}, {self.right!r})"


def minimum(a: Schedule | float, b: Schedule | float) -> Schedule:
    """The smaller of two schedules, or of a schedule and a number: ``f(t) = min(a(t), b(t))``.

    It is a ceiling: ``minimum(s, 1e-4)`` is never above 1e-4. `maximum` is a floor.

    Args:
        a, b: schedules or numbers.

    Raises:
        TypeError: an argument is neither a schedule nor a number.

    >>> from gradstep import Constant, Linear, minimum
    >>> minimum(Linear(1.0, 0.0, 4), 0.6)(range(4))
    array([0.6 , 0.6 , 0.5 , 0.25])
    """
    return Minimum(operand("a", a), operand("b", b))


def maximum(a: Schedule | float, b: Schedule | float) -> Schedule:
    """The larger of two schedules, or of a schedule and a number: ``f(t) = max(a(t), b(t))``.

    It is a floor: ``maximum(s, 1e-4)`` is never below 1e-4. `minimum` is a ceiling.

    Args:
        a, b: schedules or numbers.

    Raises:
        TypeError: an argument is neither a schedule nor a number.

    >>> from gradstep import Linear, maximum
    >>> maximum(Linear(1.0, 0.0, 4), 0.6)(range(4))
    array([1.  , 0.75, 0.6 , 0.6 ])
    """
    return Maximum(operand("a", a), operand("b", b))


@dataclass(frozen=True, eq=False, repr=False)
class Clip(Schedule):
    """``s.clip(lo, hi)``: the values of s, bounded by lo and hi: ``min(max(s(t), lo), hi)``.

    Args:
        lo, hi: numbers, lo <= hi; None (the default) for no bound. One of them must be given.

    Raises:
        ValueError, TypeError: an argument is out of range.

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
