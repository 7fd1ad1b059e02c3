"""Schedules that follow one another."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Rising, count_or_zero, sequence
from gradstep.schedules.landmarks import Landmark, within
from gradstep.schedules.operators import operand
from gradstep.schedules.times import later


def operands(name: str, value: Any) -> tuple[Schedule, ...]:
    return sequence(name, value, operand)


Operands = Annotated[Sequence[Schedule], operands]


@dataclass(frozen=True, eq=False, repr=False)
class Join(Schedule):
    """``join(children, milestones)``, and ``a.then(b, at=n)``, which is ``join([a, b], [n])``.

    >>> from gradstep import Constant, Linear
    >>> Constant(1.0).then(Linear(1.0, 0.0, 2), at=3)(range(7))
    array([1. , 1. , 1. , 1. , 0.5, 0. , 0. ])
    """

    children: Operands
    milestones: Rising

    def validate(self) -> None:
        if len(self.children) != len(self.milestones) + 1:
            raise ValueError(
                f"there are {len(self.children)} children and {len(self.milestones)} milestones: give one "
                "child more than milestones"
            )

    def code(self) -> list[Instruction]:
        code = self.children[0].code()
        for child, at in zip(self.children[1:], self.milestones, strict=True):
            code += [*later(child, at), ("then", [float(at)])]
        return code

    def landmarks(self) -> list[Landmark]:
        begins = (0, *self.milestones)
        ends = (*self.milestones, math.inf)
        marks = [Landmark(t, f"{child!r} begins", joint=True) for t, child in zip(begins, self.children, strict=True)]
        for child, begin, end in zip(self.children, begins, ends, strict=True):
            marks += within(child.landmarks(), begin, end)
        return marks

    def __repr__(self) -> str:
        return f"join({list(self.children)!r}, {list(self.milestones)!r})"


def join(children: Sequence[Schedule | float], milestones: Sequence[int]) -> Schedule:
    """Schedules that follow one another, each starting at its own t = 0.

    ``f(t) = children[i](t - milestones[i - 1])`` with i = the number of milestones <= t.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        children: schedules or numbers, one more than milestones; any of them may itself be joined.
        milestones: the steps at which the children after the first begin. They must not decrease. A child between equal
            milestones is not used, nor is the first if milestones[0] is 0.

    Raises:
        ValueError, TypeError: an argument is out of range, or the lengths do not match.

    >>> from gradstep import Linear, join
    >>> join([Linear(0.0, 1.0, 2), 1.0, Linear(1.0, 0.0, 2)], [2, 4])(range(7))
    array([0. , 0.5, 1. , 1. , 1. , 0.5, 0. ])
    """
    return Join(operands("children", children), milestones)


def stages(parts: Sequence[tuple[int, Schedule | float]], last: Schedule | float) -> Schedule:
    """A rate in several stages of given durations: `join` at the sums of the durations.

    Each stage starts at its own t = 0.

    Args:
        parts: pairs of a number of updates, 0 or more, and the schedule or number for them.
        last: the schedule or number after them.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> from gradstep import Linear, stages
    >>> stages([(2, Linear(0.0, 1.0, 2)), (3, 1.0)], last=0.1)
    join([Linear(init=0.0, end=1.0, steps=2), Constant(value=1.0), Constant(value=0.1)], [2, 5])
    """
    listed = sequence("parts", parts, lambda _, part: part)
    durations = [count_or_zero(f"parts[{i}][0]", steps) for i, (steps, _) in enumerate(listed)]
    return join([*(part for _, part in listed), last], list(itertools.accumulate(durations)))
