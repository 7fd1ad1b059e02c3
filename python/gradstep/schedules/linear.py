"""Straight lines and powers of them."""

from dataclasses import dataclass, field

from gradstep.schedules.base import Instruction
from gradstep.schedules.fields import Count, Flag, Positive, Real
from gradstep.schedules.finite import EndAt, Finite, Past, bent


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Finite):
    """A straight line: ``f(t) = init + (end - init) * t / steps``, up or down.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        init: the value at t = 0.
        end: the value at t == steps, reached exactly.
        steps: updates from init to end, 1 or more.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> Linear(init=1.0, end=0.0, steps=4)(range(6))
    array([1.  , 0.75, 0.5 , 0.25, 0.  , 0.  ])
    """

    init: Real
    end: Real
    steps: Count
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)


@dataclass(frozen=True, eq=False, repr=False)
class PolynomialDecay(Finite):
    """A power of a straight line: ``f(t) = end + (init - end) * (1 - t / steps)**power``.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        init: the value at t = 0.
        steps: updates from init to end, 1 or more.
        end: the value at t == steps, reached exactly. Default 0.
        power: above 0; 1 is a straight line. Default 1. With ``past="extrapolate"`` it must be an integer.
        cycle: after the end, use the smallest multiple of `steps` that is not below t for `steps`, so that the value
            rises and decays again (Keras). Default False. It needs ``past="hold"`` and k = 1.
        k: above 0; t / steps is replaced by (t / steps)**k, so that above 1 the value stays high for longer (k-decay,
            Zhang and Li 2020, arXiv:2004.05909). Default 1.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Chen et al. 2016, arXiv:1606.00915 (the "poly" policy).

    >>> PolynomialDecay(init=1.0, steps=4, power=2)(range(6))
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    , 0.    ])
    """

    init: Real
    steps: Count
    end: Real = 0.0
    power: Positive = 1.0
    cycle: Flag = False
    k: Positive = field(default=1.0, kw_only=True)
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)

    def validate(self) -> None:
        super().validate()
        if self.cycle and self.past != "hold":
            raise ValueError(f"past is {self.past!r}, but with cycle=True the end never passes: leave past out")
        if self.cycle and self.k != 1:
            raise ValueError(f"k is {self.k}, but with cycle=True it must be 1")
        if self.past == "extrapolate" and self.power != int(self.power):
            raise ValueError(
                f"power is {self.power}, but past='extrapolate' takes powers of negative numbers: use an "
                "integer power or another past"
            )

    def formula(self) -> list[Instruction]:
        curve: Instruction = ("polynomial_decay", [self.init, float(self.length), self.end, self.power])
        return bent([curve], self.length, self.k)

    def code(self) -> list[Instruction]:
        if self.cycle:
            return [("lengthen", [float(self.length)]), *self.formula(), ("back", [])]
        return super().code()
