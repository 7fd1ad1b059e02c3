"""The schedule that never changes."""

from dataclasses import dataclass

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Real


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Schedule):
    """The same value at every step: ``f(t) = value``. A number in a schedule's place means this.

    value: any finite number.

    t is the number of updates already applied; f(0) is used by the first update.

    >>> Constant(0.1)(1000)
    0.1
    """

    value: Real
