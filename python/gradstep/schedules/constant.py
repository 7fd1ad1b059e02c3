"""A constant rate."""

from dataclasses import dataclass

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Real


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Schedule):
    """The same value at every step: ``f(t) = value``. Where a schedule is expected, a number means this.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        value: any finite number.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: Real
