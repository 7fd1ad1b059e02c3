"""Checks of arguments of schedules. Each returns the value to keep, or raises an error that says what is wrong."""

import itertools
import math
import numbers
import operator
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np

from gradstep.interop.scalars import shown
from gradstep.schedules.limits import limits

LARGEST_STEP = 2**53
"""The largest step up to which float64, in which schedules compute, is exact."""

Check = Callable[[str, Any], Any]


def real(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {shown(value)}, a {type(value).__name__}: it must be a number")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is {shown(value)}: it is too large for float64") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} is {shown(value)}: it must be a finite number")
    return number + 0.0  # -0.0 becomes 0.0, so that equal values are written equally


def positive(name: str, value: Any) -> float:
    if (checked := real(name, value)) <= 0:
        raise ValueError(f"{name} is {shown(value)}: it must be above 0")
    return checked


def not_negative(name: str, value: Any) -> float:
    if (checked := real(name, value)) < 0:
        raise ValueError(f"{name} is {shown(value)}: it must be 0 or more")
    return checked


def fraction(name: str, value: Any) -> float:
    if not 0 <= (checked := real(name, value)) < 1:
        raise ValueError(f"{name} is {shown(value)}: it must be 0 or more and below 1")
    return checked


def optional_real(name: str, value: Any) -> float | None:
    return None if value is None else real(name, value)


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {shown(value)}: it must be True or False")
    return value


def whole(name: str, value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        checked = operator.index(integral(value))
    except TypeError:
        raise TypeError(
            f"{name} is {shown(value)}, a {type(value).__name__}: it counts updates, so it must be an integer"
        ) from None
    if abs(checked) > LARGEST_STEP:
        raise ValueError(f"{name} is {shown(value)}: it must not exceed 2**53, the largest step that is exact")
    return checked


def integral(value: Any) -> Any:
    """The integer that a whole float stands for, as 1e4 does for 10,000; any other value unchanged."""
    return int(value) if isinstance(value, float | np.floating) and value.is_integer() else value


def count(name: str, value: Any) -> int:
    if (checked := whole(name, value)) < 1:
        raise ValueError(f"{name} is {shown(value)}: it counts updates and must be 1 or more")
    return checked


def natural(name: str, value: Any) -> int:
    given = integral(value)
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or given < 1:
        raise ValueError(f"{name} is {shown(value)}: it must be an integer, 1 or more")
    return int(given)


def count_or_zero(name: str, value: Any) -> int:
    if (checked := whole(name, value)) < 0:
        raise ValueError(f"{name} is {shown(value)}: it counts updates and must be 0 or more")
    return checked


def sequence(name: str, value: Any, check: Check) -> tuple[Any, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} is {shown(value)}: it must be a list")
    listed = list(itertools.islice(value, limits.numbers + 1))  # it may never end
    limits.check("numbers", len(listed), f"{name} holds {len(listed)} entries or more")
    return tuple(check(f"{name}[{i}]", each) for i, each in enumerate(listed))


def reals(name: str, value: Any) -> tuple[float, ...]:
    return sequence(name, value, real)


def increasing(name: str, value: Any) -> tuple[int, ...]:
    checked = sequence(name, value, count_or_zero)
    for i, (before, after) in enumerate(itertools.pairwise(checked), start=1):
        if after <= before:
            raise ValueError(
                f"{name} is {shown(list(checked))}: it must increase, but {name}[{i}] = {after} follows {before}"
            )
    return checked


def rising(name: str, value: Any) -> tuple[int, ...]:
    checked = sequence(name, value, count_or_zero)
    for i, (before, after) in enumerate(itertools.pairwise(checked), start=1):
        if after < before:
            raise ValueError(
                f"{name} is {shown(list(checked))}: it must not fall, but {name}[{i}] = {after} follows {before}"
            )
    return checked


def one_of(*allowed: str) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"{name} is {shown(value)}: it must be one of {', '.join(map(repr, allowed))}")
        return str(value)

    return check


Real = Annotated[float, real]
Positive = Annotated[float, positive]
NotNegative = Annotated[float, not_negative]
Fraction = Annotated[float, fraction]
OptionalReal = Annotated[float | None, optional_real]
Flag = Annotated[bool, flag]
Whole = Annotated[int, whole]
Count = Annotated[int, count]
CountOrZero = Annotated[int, count_or_zero]
Reals = Annotated[Sequence[float], reals]
Increasing = Annotated[Sequence[int], increasing]
Rising = Annotated[Sequence[int], rising]
