"""The rise to a schedule."""

from dataclasses import dataclass
from typing import Annotated, Literal

from gradstep.schedules.base import Instruction, Schedule, shown
from gradstep.schedules.fields import Count, CountOrZero, Real, one_of
from gradstep.schedules.operators import Operand, later, written


@dataclass(frozen=True, eq=False, repr=False)
class Warmup(Schedule):
    """``s.warmup(n)``: rises from `start` to the schedule s: ``start + (goal - start) * (t + offset) / n``.

    n: updates that the whole way takes, 1 or more (the method also takes 0, and then returns s itself).
    start: where the way begins, in the units of s. Default 0.
    kind: the shape of the way; only "linear" (the default).
    mode: what s does meanwhile.
        "prefix" (the default): s waits, and the goal is s(0). s takes over, with its own t = 0, at the step
        at which the way is complete, t == n - offset: its first value is the peak, used by one update only.
        "overlay": s runs from t = 0, but its values before t == n - offset are replaced by the way to s(0).
        Where s has decayed meanwhile, the value jumps at that step.
        "scale": s runs from t = 0 and the goal is s(t): with start = 0 the values of s are multiplied.
    offset: how many n-ths of the way the first update uses, from 0 to n. The default 1 begins at 1/n, so
        that no update is wasted, and the n-th update uses the peak; 0 begins at `start` itself, and the
        update after the n-th uses the peak.

    t is the number of updates already applied; f(0) is used by the first update. Raises ValueError or
    TypeError for arguments out of range. Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2.

    >>> from gradstep import Linear
    >>> s = Linear(1.0, 0.0, 4)
    >>> s.warmup(2)(range(6))
    array([0.5 , 1.  , 0.75, 0.5 , 0.25, 0.  ])
    >>> s.warmup(2, offset=0)(range(6))
    array([0.  , 0.5 , 1.  , 0.75, 0.5 , 0.25])
    >>> s.warmup(4, mode="overlay")(range(5))
    array([0.25, 0.5 , 0.75, 0.25, 0.  ])
    >>> s.warmup(4, mode="scale")(range(5))
    array([0.25 , 0.375, 0.375, 0.25 , 0.   ])
    """

    base: Operand
    n: Count
    start: Real = 0.0
    kind: Annotated[Literal["linear"], one_of("linear")] = "linear"
    mode: Annotated[Literal["prefix", "overlay", "scale"], one_of("prefix", "overlay", "scale")] = "prefix"
    offset: CountOrZero = 1

    def validate(self) -> None:
        if self.offset > self.n:
            raise ValueError(f"offset is {self.offset}: it must not be above n = {self.n}, the whole way")

    def code(self) -> list[Instruction]:
        complete = self.n - self.offset
        if self.mode == "prefix":
            curve = later(self.base, complete)
        elif self.mode == "overlay":
            curve = [("wait", [float(complete)]), *self.base.code(), ("back", [])]
        else:
            curve = self.base.code()
        return [*curve, ("ramp", [float(self.n), self.start, float(self.offset)])]

    def __repr__(self) -> str:
        options = {name: value for name, value in self.arguments().items() if name not in ("base", "n")}
        given = [str(self.n), *(f"{name}={shown(value)}" for name, value in options.items())]
        return f"{written(self.base)}.warmup({', '.join(given)})"
