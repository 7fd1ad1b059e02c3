"""Listed values, and values that a function gives once."""

import collections.abc
from dataclasses import dataclass, field
from typing import Annotated, Literal

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Instruction
from gradstep.schedules.fields import Count, Reals, count, one_of
from gradstep.schedules.finite import Ending
from gradstep.schedules.limits import limits

PastTable = Annotated[Literal["hold", "repeat", "mirror", "error"], one_of("hold", "repeat", "mirror", "error")]


@dataclass(frozen=True, eq=False, repr=False)
class Table(Ending):
    """One value for each step: ``f(t) = values[t]``.

    t counts the updates already applied, so the first update uses f(0). The end is the last value, t ==
    len(values) - 1; there is no formula to extrapolate.

    Args:
        values: one finite number or more; any list or array. "mirror" needs two.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> Table([0.1, 0.3, 0.2])(range(5))
    array([0.1, 0.3, 0.2, 0.2, 0.2])
    >>> Table([0.1, 0.3, 0.2], past="repeat")(range(5))
    array([0.1, 0.3, 0.2, 0.1, 0.3])
    """

    values: Reals
    past: PastTable = field(default="hold", kw_only=True)

    def validate(self) -> None:
        least = 2 if self.past == "mirror" else 1
        if len(self.values) < least:
            raise ValueError(f"values is {shown(list(self.values))}: with past={self.past!r} give at least {least}")

    @property
    def length(self) -> int:
        return len(self.values) - 1

    @property
    def period(self) -> int:
        return len(self.values)

    def formula(self) -> list[Instruction]:
        return [(self.operation, list(self.values))]


def Callable(
    fn: collections.abc.Callable[[int], float],
    steps: Count,
    *,
    past: Literal["hold", "repeat", "mirror", "error"] = "hold",
) -> Table:
    """A function of the step as a schedule: ``f(t) = fn(t)``.

    It is a `Table` of the values: JSON, `==` and a checkpoint hold the values, not the code, so a resumed run does
    not depend on the function.

    Args:
        fn: a function of one step; it is called here, once for each t from 0 to `steps`.
        steps: the last step, 1 or more.
        past: the values after the last step, as for `Table`.

    >>> Callable(lambda t: 0.1 / (1 + t), steps=3)(range(5))
    array([0.1       , 0.05      , 0.03333333, 0.025     , 0.025     ])
    """
    last = count("steps", steps)
    limits.check("numbers", last, f"Callable would call fn for {last} steps")
    return Table([fn(t) for t in range(last + 1)], past=past)
