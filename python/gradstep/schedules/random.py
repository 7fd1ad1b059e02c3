"""Reproducible random rates."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Positive, Real


def seed_number(name: str, value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{name} is {shown(value)}: it must be an integer")
    try:
        checked = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {shown(value)}, a {type(value).__name__}: it must be an integer") from None
    if not 0 <= checked <= 2**53:
        raise ValueError(f"{name} is {shown(value)}: it must be from 0 to 2**53")
    return checked


def check_order(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"low is {low} and high is {high}: low must not be above high")


Seed = Annotated[int, seed_number]


@dataclass(frozen=True, eq=False, repr=False)
class Uniform(Schedule):
    """A random number for each step: ``f(t) = low + (high - low) * u``, u uniform from 0 to 1.

    u depends on seed and t only: it is the first 52 of the 128 bits that Philox4x32-10 gives for the key `seed` and the
    counter t. Any step can therefore be evaluated, and a resumed run and every device see the same rates. t counts the
    updates already applied. The schedule has no end.

    Args:
        low, high: the bounds, low <= high.
        seed: an integer from 0 to 2**53.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".

    >>> s = Uniform(0.1, 0.2, seed=7)
    >>> s(10**9) == s(10**9), s(1) == s(2)
    (True, False)
    """

    low: Real
    high: Real
    seed: Seed

    def validate(self) -> None:
        check_order(self.low, self.high)


@dataclass(frozen=True, eq=False, repr=False)
class LogUniform(Schedule):
    """A random number for each step, uniform on a logarithmic scale: ``f(t) = low * (high / low)**u``.

    u is that of `Uniform` with the same seed. t counts the updates already applied. The schedule has no end.

    Args:
        low, high: the bounds, above 0, low <= high.
        seed: an integer from 0 to 2**53.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> s = LogUniform(1e-4, 1e-1, seed=7)
    >>> all(1e-4 <= s(t) <= 1e-1 for t in range(100))
    True
    """

    low: Positive
    high: Positive
    seed: Seed

    def validate(self) -> None:
        check_order(self.low, self.high)
