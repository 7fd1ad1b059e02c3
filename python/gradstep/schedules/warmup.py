"""Warmups."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, CountOrZero, Positive, Real, count, fraction, one_of
from gradstep.schedules.finite import Finite
from gradstep.schedules.landmarks import Landmark, within
from gradstep.schedules.operators import Operand, written
from gradstep.schedules.times import at_mapped_steps, later
from gradstep.schedules.value import shown

Kind = Annotated[
    Literal["linear", "constant", "log", "cosine", "1-sqrt", "exponential", "power"],
    one_of("linear", "constant", "log", "cosine", "1-sqrt", "exponential", "power"),
]
Mode = Annotated[Literal["prefix", "overlay", "scale"], one_of("prefix", "overlay", "scale")]


@dataclass(frozen=True, eq=False, repr=False)
class Warmup(Schedule):
    """``s.warmup(n)``: rises from `start` to the schedule s: ``start + (goal - start) * shape(p)``.

    p is the fraction of the warmup that is complete, ``min((t + offset) / n, 1)``.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        n: the updates of the warmup, 1 or more. The method also takes 0 and then returns s itself.
        start: the value at p = 0, in the units of s. Default 0.
        kind: the shape. "linear" (the default): p. "power": p**power. "cosine": (1 - cos(pi * p)) / 2. "1-sqrt":
            1 - sqrt(1 - p). "log": ln(1 + n * p) / ln(1 + n). "constant": `start` until p is 1. "exponential":
            1 - exp(-(t + offset) / n), with the time constant n; it never quite reaches 1 and needs mode="scale".
        mode: what s does during the warmup. "prefix" (the default): s waits, and the goal is s(0). It starts, with its
            own t = 0, at the step t == n - offset, at which p is 1: its first value is the peak, and one update uses
            it. So it ends n - offset updates later; the method's `within` shortens it to end with the run. "overlay":
            s runs from t = 0, but its values before t == n - offset are replaced by the rise to s(0); if s has decayed
            meanwhile, the value jumps at that step. "scale": s runs from t = 0 and the goal is s(t); with start = 0
            the values of s are multiplied.
        offset: how many n-ths of the warmup the first update uses, from 0 to n. The default 1 begins at 1/n, which
            wastes no update, and the n-th update uses the peak. 0 begins at `start` itself, and the update after the
            n-th uses the peak. For a start at 1/(n + 1) and the peak after n updates, pass n + 1.
        power: the exponent of kind="power", above 0; only for that kind.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Sources: Goyal et al. 2017, arXiv:1706.02677, section 2.2; for the exponential kind Ma and Yarats 2019,
    arXiv:1910.04209.

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
            raise ValueError(f"offset is {self.offset}: it must not be above n = {self.n}")
        if self.kind != "power" and self.power != 1:
            raise ValueError(f"power is {self.power}, but kind is {self.kind!r}: only kind='power' has a power")
        if self.kind == "exponential" and self.mode != "scale":
            raise ValueError(
                f"mode is {self.mode!r}, but an exponential warmup never quite ends, so that no schedule can "
                "follow it: use mode='scale' or another kind"
            )

    @property
    def complete(self) -> int:
        """The first step at which the warmup is complete."""
        return self.n - self.offset

    def code(self) -> list[Instruction]:
        return [*self.curve(), *self.way(), ("interpolate_from", [self.start])]

    def curve(self) -> list[Instruction]:
        if self.mode == "prefix":
            return later(self.base, self.complete)
        if self.mode == "overlay":
            return at_mapped_steps("wait", [float(self.complete)], self.base)
        return self.base.code()

    def way(self) -> list[Instruction]:
        gone = [float(self.n), float(self.offset)]
        if self.kind == "exponential":
            return [("exponential_fraction", gone)]
        shapes: dict[str, list[Instruction]] = {
            "linear": [],
            "power": [("raised", [self.power])],
            "cosine": [("cosine_shape", [])],
            "1-sqrt": [("sqrt_shape", [])],
            "log": [("log_shape", [float(self.n)])],
            "constant": [("step_shape", [])],
        }
        return [("warmup_fraction", gone), *shapes[self.kind]]

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


def fitted(s: Schedule, within: int, complete: int, mode: str) -> Schedule:
    """The schedule with the steps that end it at `within`, where it begins at `complete`.

    Raises:
        ValueError: there is no room for it, or it is not known how to change its steps.
    """
    total = count("within", within)
    if mode != "prefix":
        raise ValueError(
            f"within is {total}, but mode is {mode!r}, in which the schedule runs from t = 0 and the warmup does not "
            "move its end: leave within out and give the schedule the steps of the run"
        )
    if not isinstance(s, Finite):
        raise ValueError(
            f"within is {total}, but a {type(s).__name__} has no single end to move: call warmup(n, within=...) on the "
            "decay itself, before other methods and operators, or leave within out and choose its steps"
        )
    if total <= complete:
        raise ValueError(f"within is {total}: it counts the warmup too and must be above its {complete} updates")
    ending: Schedule = dataclasses.replace(cast(Any, s), steps=total - complete)
    return ending


def untuned_warmup(beta2: float) -> int:
    """The updates of a warmup for Adam that needs no tuning: ``2 / (1 - beta2)``, rounded.

    It is meant for a linear warmup in mode="scale"; the exponential kind takes half as many.

    Args:
        beta2: Adam's second coefficient, from 0 to below 1.

    Raises:
        ValueError, TypeError: beta2 is out of range.

    Source: Ma and Yarats 2019, arXiv:1910.04209.

    >>> from gradstep import CosineDecay, untuned_warmup
    >>> untuned_warmup(beta2=0.999)
    2000
    >>> s = CosineDecay(1e-3, 50_000).warmup(untuned_warmup(0.999), mode="scale")
    """
    return round(2 / (1 - fraction("beta2", beta2)))
