"""The rise to a schedule."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, CountOrZero, Positive, Real, fraction, one_of
from gradstep.schedules.landmarks import Landmark, within
from gradstep.schedules.operators import Operand, written
from gradstep.schedules.times import later, seen_through
from gradstep.schedules.value import shown

Kind = Annotated[
    Literal["linear", "constant", "log", "cosine", "1-sqrt", "exponential", "power"],
    one_of("linear", "constant", "log", "cosine", "1-sqrt", "exponential", "power"),
]
Mode = Annotated[Literal["prefix", "overlay", "scale"], one_of("prefix", "overlay", "scale")]


@dataclass(frozen=True, eq=False, repr=False)
class Warmup(Schedule):
    """``s.warmup(n)``: rises from `start` to the schedule s: ``start + (goal - start) * shape(p)``.

    p, the way that has been gone, is ``(t + offset) / n`` and at most 1.

    n: updates that the whole way takes, 1 or more (the method also takes 0, and then returns s itself).
    start: where the way begins, in the units of s. Default 0.
    kind: the shape of the way.
        "linear" (the default): p. "power": p**power. "cosine": (1 - cos(pi * p)) / 2.
        "1-sqrt": 1 - sqrt(1 - p). "log": ln(1 + n * p) / ln(1 + n).
        "constant": start, until the way is complete.
        "exponential": 1 - exp(-(t + offset) / n); n is its time constant, and as it never quite arrives it
        needs mode="scale".
    mode: what s does meanwhile.
        "prefix" (the default): s waits, and the goal is s(0). s takes over, with its own t = 0, at the step
        at which the way is complete, t == n - offset: its first value is the peak, used by one update only.
        "overlay": s runs from t = 0, but its values before t == n - offset are replaced by the way to s(0).
        Where s has decayed meanwhile, the value jumps at that step.
        "scale": s runs from t = 0 and the goal is s(t): with start = 0 the values of s are multiplied.
    offset: how many n-ths of the way the first update uses, from 0 to n. The default 1 begins at 1/n, so
        that no update is wasted, and the n-th update uses the peak; 0 begins at `start` itself, and the
        update after the n-th uses the peak. To begin at 1/(n + 1), with the peak after n updates, give n + 1.
    power: the exponent of kind="power", above 0, and for that kind alone.

    t is the number of updates already applied; f(0) is used by the first update. Raises ValueError or
    TypeError for arguments out of range. Sources: Goyal et al. 2017, arXiv:1706.02677, section 2.2; for the
    exponential kind Ma and Yarats 2019, arXiv:1910.04209.

    >>> from gradstep import Linear
    >>> s = Linear(1.0, 0.0, 4)
    >>> s.warmup(2)(range(6))
    array([0.5 , 1.  , 0.75, 0.5 , 0.25, 0.  ])
    >>> s.warmup(2, offset=0)(range(6))
    array([0.  , 0.5 , 1.  , 0.75, 0.5 , 0.25])
    >>> s.warmup(4, kind="power", power=2)(range(6))
    array([0.0625, 0.25  , 0.5625, 1.    , 0.75  , 0.5   ])
    >>> s.warmup(4, mode="overlay")(range(5))
    array([0.25, 0.5 , 0.75, 0.25, 0.  ])
    >>> s.warmup(4, mode="scale")(range(5))
    array([0.25 , 0.375, 0.375, 0.25 , 0.   ])
    """

    base: Operand
    n: Count
    start: Real = 0.0
    kind: Kind = "linear"
    mode: Mode = "prefix"
    offset: CountOrZero = 1
    power: Positive = 1.0

    def validate(self) -> None:
        if self.offset > self.n:
            raise ValueError(f"offset is {self.offset}: it must not be above n = {self.n}, the whole way")
        if self.kind != "power" and self.power != 1:
            raise ValueError(f"power is {self.power}, but kind is {self.kind!r}: only kind='power' has a power")
        if self.kind == "exponential" and self.mode != "scale":
            raise ValueError(
                f"mode is {self.mode!r}, but an exponential warmup never quite arrives, so nothing can take "
                "over from it: use mode='scale' or another kind"
            )

    @property
    def complete(self) -> int:
        """The first step at which the whole way has been gone."""
        return self.n - self.offset

    def code(self) -> list[Instruction]:
        return [*self.curve(), *self.way(), ("toward", [self.start])]

    def curve(self) -> list[Instruction]:
        if self.mode == "prefix":
            return later(self.base, self.complete)
        if self.mode == "overlay":
            return seen_through("wait", [float(self.complete)], self.base)
        return self.base.code()

    def way(self) -> list[Instruction]:
        gone = [float(self.n), float(self.offset)]
        if self.kind == "exponential":
            return [("exponential_way", gone)]
        shapes: dict[str, list[Instruction]] = {
            "linear": [],
            "power": [("raised", [self.power])],
            "cosine": [("cosine_way", [])],
            "1-sqrt": [("sqrt_way", [])],
            "log": [("log_way", [float(self.n)])],
            "constant": [("constant_way", [])],
        }
        return [("way", gone), *shapes[self.kind]]

    def landmarks(self) -> list[Landmark]:
        if self.kind == "exponential":
            return self.base.landmarks()
        begin = self.complete if self.mode == "prefix" else 0
        complete = Landmark(self.complete, "warmup complete", joint=self.mode == "overlay")
        return [complete, *within(self.base.landmarks(), begin, math.inf)]

    def __repr__(self) -> str:
        options = {name: value for name, value in self.arguments().items() if name not in ("base", "n")}
        given = [str(self.n), *(f"{name}={shown(value)}" for name, value in options.items())]
        return f"{written(self.base)}.warmup({', '.join(given)})"


def untuned_warmup(beta2: float) -> int:
    """The n of a warmup that needs no tuning, for Adam: ``2 / (1 - beta2)``, to the nearest integer.

    beta2: the optimizer's, 0 or more and below 1.

    It goes with a linear warmup in mode="scale"; the exponential kind takes half as many. Raises ValueError
    or TypeError for a beta2 out of range. Source: Ma and Yarats 2019, arXiv:1910.04209.

    >>> from gradstep import CosineDecay, untuned_warmup
    >>> untuned_warmup(beta2=0.999)
    2000
    >>> s = CosineDecay(1e-3, 50_000).warmup(untuned_warmup(0.999), mode="scale")
    """
    return round(2 / (1 - fraction("beta2", beta2)))
