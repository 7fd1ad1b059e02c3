"""Schedules of several phases."""

import itertools
from dataclasses import dataclass, field
from typing import Annotated, Literal

from gradstep.schedules.base import Instruction
from gradstep.schedules.constant import Constant
from gradstep.schedules.fields import Count, CountOrZero, Flag, NotNegative, Positive, Real, one_of
from gradstep.schedules.finite import EndAt, Ending, Finite, Past, bent
from gradstep.schedules.landmarks import Landmark


def followed(code: list[Instruction], at: float, by: list[Instruction]) -> list[Instruction]:
    """The program until step `at`, then the other, which starts there. An empty program is left out."""
    if not code:
        return by
    return [*code, ("delay", [at]), *by, ("back", []), ("then", [at])]


@dataclass(frozen=True, eq=False, repr=False)
class OneCycle(Finite):
    """One cycle: from `peak / div` up to `peak`, then down to `peak / div / final_div`.

    t counts the updates already applied, so the first update uses f(0); the peak is at t == pct_start * steps.
    With ``end_at="last"`` phases end one update earlier, as in torch.

    Args:
        peak: the highest value.
        steps: updates of all phases together, 1 or more.
        pct_start: the fraction of `steps` for the rise, from 0 to below 1. Default 0.3.
        div: the peak divided by the first value, above 0. Default 25.
        final_div: the first value divided by the last, above 0. Default 10,000.
        anneal: the shape of each phase, "cosine" (the default, as in torch and fastai) or "linear" (the paper).
        three_phase: fall to the first value in as many updates as the rise, and only then to the last (the paper).
            Default False. It needs pct_start below 0.5.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Smith and Topin 2017, arXiv:1708.07120.

    >>> OneCycle(peak=1.0, steps=6, pct_start=0.5, div=10, final_div=10)([0, 3, 6])
    array([0.1 , 1.  , 0.01])
    """

    peak: Real
    steps: Count
    pct_start: NotNegative = 0.3
    div: Positive = 25.0
    final_div: Positive = 1e4
    anneal: Annotated[Literal["cosine", "linear"], one_of("cosine", "linear")] = "cosine"
    three_phase: Flag = False
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)

    def validate(self) -> None:
        super().validate()
        limit = 0.5 if self.three_phase else 1
        if self.pct_start >= limit:
            raise ValueError(f"pct_start is {self.pct_start}: it must be below {limit}, to leave steps for the fall")

    def formula(self) -> list[Instruction]:
        low = self.peak / self.div
        rise = max(self.pct_start * self.steps - (self.end_at == "last"), 0.0)
        corners = [(0.0, low), (rise, self.peak), (float(self.length), low / self.final_div)]
        if self.three_phase:
            corners.insert(2, (2 * rise, low))
        code: list[Instruction] = []
        for (start, init), (until, end) in itertools.pairwise(corners):
            code = followed(code, start, self.phase(init, end, until - start))
        return code

    def phase(self, init: float, end: float, steps: float) -> list[Instruction]:
        return [("cosine_decay", [init, steps, end]) if self.anneal == "cosine" else ("linear", [init, end, steps])]


DecayKind = Literal["linear", "cosine", "1-sqrt", "1-square", "exp2", "exponential"]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class WSD(Ending):
    """A warmup, a constant part and a decay: a trapezoid.

    ``f(t) = peak * (t + 1) / warmup`` until the peak is reached, `peak` until t == warmup + stable, and then
    ``f(t) = end + (peak - end) * d(x)``, where x goes from 0 to 1 in `decay` updates.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        peak: the value of the constant part.
        warmup: updates of the rise, 0 or more; the first uses 1 / warmup of the peak. The attribute is `warmup_`,
            because `warmup` is a method; for another shape pass 0 here and call the method.
        stable: updates at the peak, 0 or more.
        decay: updates of the decay, 1 or more.
        end: the value at t == warmup + stable + decay, reached exactly. Default 0.
        decay_kind: d(x) is 1 - x for "linear" (the default), (1 + cos(pi x)) / 2 for "cosine", 1 - sqrt(x) for
            "1-sqrt", 1 - x**2 for "1-square", and 2 * 0.5**x - 1 for "exp2". "exponential" multiplies by the same
            factor at each update, f = peak * (end / peak)**x, and needs both to be above 0.
        end_at: the step at which `end` is reached: "steps" (the default) is t == warmup + stable + decay, one after the
            last of so many updates; "last" is the last of them, and needs decay >= 2.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Sources: Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392.

    >>> WSD(peak=1.0, warmup=2, stable=2, decay=4)(range(9))
    array([0.5 , 1.  , 1.  , 1.  , 1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    peak: Real
    warmup_: CountOrZero
    stable: CountOrZero
    decay: Count
    end: Real = 0.0
    decay_kind: Annotated[DecayKind, one_of("linear", "cosine", "1-sqrt", "1-square", "exp2", "exponential")] = "linear"
    end_at: EndAt = "steps"
    past: Past = "hold"

    def __init__(
        self,
        peak: float,
        warmup: int,
        stable: int,
        decay: int,
        end: float = 0.0,
        decay_kind: DecayKind = "linear",
        *,
        end_at: Literal["steps", "last"] = "steps",
        past: Literal["hold", "repeat", "mirror", "extrapolate", "error"] = "hold",
    ) -> None:
        values = (peak, warmup, stable, decay, end, decay_kind, end_at, past)
        for name, value in zip(self.checks(), values, strict=True):
            object.__setattr__(self, name, value)
        self.__post_init__()

    def validate(self) -> None:
        if self.end_at == "last" and self.decay < 2:
            raise ValueError(f"decay is {self.decay}: with end_at='last' it must be 2 or more")
        if self.decay_kind == "exponential" and not (self.peak > 0 and self.end > 0):
            raise ValueError(
                f"peak is {self.peak} and end is {self.end}: with decay_kind='exponential' both must be above 0"
            )

    @property
    def length(self) -> int:
        return self.period - (self.end_at == "last")

    @property
    def period(self) -> int:
        return self.warmup_ + self.stable + self.decay

    def formula(self) -> list[Instruction]:
        start = self.warmup_ + self.stable
        decay = self.decay_curve(float(self.length - start))
        return followed(Constant(self.peak).warmup(self.warmup_).code(), float(start), decay)

    def landmarks(self) -> list[Landmark]:
        return [Landmark(self.warmup_ + self.stable, "decay begins"), *super().landmarks()]

    def decay_curve(self, steps: float) -> list[Instruction]:
        peak, end = self.peak, self.end
        if self.decay_kind == "cosine":
            return [("cosine_decay", [peak, steps, end])]
        if self.decay_kind == "exp2":
            return [*Constant(peak).code(), *doubled_decay(steps), ("blend", [end])]
        if self.decay_kind == "exponential":
            ended = Constant(end).code()  # to the last bit
            return followed([("exponential_decay", [peak, end / peak, steps])], steps, ended)
        power = {"linear": 1.0, "1-sqrt": 0.5, "1-square": 2.0}[self.decay_kind]
        return bent([("linear", [peak, end, steps])], steps, power)


def doubled_decay(steps: float) -> list[Instruction]:
    """2 * 0.5**x - 1, from 1 to 0."""
    return [("exponential_decay", [2.0, 0.5, steps]), *Constant(1.0).code(), ("minus", [])]
