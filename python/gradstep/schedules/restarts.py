"""Cosine decay with restarts."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import LARGEST_STEP, Count, NotNegative, Real, real
from gradstep.schedules.finite import EndAt
from gradstep.schedules.stairs import on_stairs


def growth(name: str, value: Any) -> float:
    checked = real(name, value)
    if checked != 1 and checked < 1.001:  # a smaller one would make a program of millions of cycles
        raise ValueError(f"{name} is {shown(value)}: it must be 1, for equal cycles, or at least 1.001")
    return checked


def cycle_starts(steps: int, mult: float) -> list[int]:
    """The steps at which cycles start, up to the first beyond the largest step."""
    starts, length = [0], float(steps)
    while starts[-1] <= LARGEST_STEP:
        starts.append(starts[-1] + round(length))
        length *= mult
    return starts


@dataclass(frozen=True, eq=False, repr=False)
class CosineRestarts(Schedule):
    """Half a cosine, repeated: at step u of cycle i, which has T_i steps,
    ``f(t) = end + (init * decay**i - end) * (1 + cos(pi * u / T_i)) / 2`` with T_i = steps * mult**i.

    t counts the updates already applied, so the first update uses f(0); at a restart the value is exactly the new peak.
    It has no end.

    Args:
        init: the value at t = 0.
        steps: updates of the first cycle, 1 or more.
        mult: each cycle's length divided by the one before: 1 (the default), or 1.001 or more. Lengths are rounded to
            whole updates.
        decay: each peak divided by the one before, 0 or more. Default 1.
        end: the value that each cycle decays to. Default 0.
        end_at: "steps" (the default): a cycle would reach `end` at the step at which the next one starts, so `end`
            is never used; "last": the last update of each cycle uses it, and steps must be 2 or more.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983 (SGDR).

    >>> CosineRestarts(init=1.0, steps=2, mult=2, decay=0.5)(range(8))
    array([1.        , 0.5       , 0.5       , 0.4267767 , 0.25      ,
           0.0732233 , 0.25      , 0.24048494])
    """

    init: Real
    steps: Count
    mult: Annotated[float, growth] = 1.0
    decay: NotNegative = 1.0
    end: Real = 0.0
    end_at: EndAt = field(default="steps", kw_only=True)

    def validate(self) -> None:
        if self.end_at == "last" and self.steps < 2:
            raise ValueError(f"steps is {self.steps}: with end_at='last' it must be 2 or more")

    def numbers(self) -> int:
        return 0 if self.mult == 1 else 2 * math.ceil(math.log(LARGEST_STEP) / math.log(self.mult))

    def code(self) -> list[Instruction]:
        gap = int(self.end_at == "last")
        peak: list[Instruction] = [("step_decay", [self.init, float(self.steps), self.decay])]
        clock, length = ("repeat", [float(self.steps)]), float(self.steps - gap)
        if self.mult != 1:
            starts = cycle_starts(self.steps, self.mult)
            peak = on_stairs(starts[1:], ("exponential_decay", [self.init, self.decay, 1.0]))
            clock, length = ("restart", [float(each) for each in (gap, *starts)]), 1.0
        if self.decay == 1:
            peak = [("constant", [self.init])]
        return [*peak, clock, ("cosine_decay", [1.0, length, 0.0]), ("back", []), ("blend", [self.end])]
