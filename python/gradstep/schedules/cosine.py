"""Cosine decays."""

from dataclasses import dataclass, field

from gradstep.schedules.base import Instruction
from gradstep.schedules.fields import Count, Positive, Real
from gradstep.schedules.finite import EndAt, Finite, Past, bent


@dataclass(frozen=True, eq=False, repr=False)
class CosineDecay(Finite):
    """Half a period of a cosine: ``f(t) = end + (init - end) * (1 + cos(pi * t / steps)) / 2``.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        init: the value at t = 0, exactly.
        steps: updates from init to end, 1 or more.
        end: the value at t == steps, reached exactly. Default 0.
        exponent: above 0, the power of (1 + cos(pi * t / steps)) / 2, as in optax. Default 1.
        k: above 0; t / steps is replaced by (t / steps)**k, so that above 1 the value stays high for longer (k-decay,
            Zhang and Li 2020, arXiv:2004.05909). Default 1.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5.

    >>> CosineDecay(init=1.0, steps=4, end=0.5)([0, 2, 4, 5])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    init: Real
    steps: Count
    end: Real = 0.0
    exponent: Positive = field(default=1.0, kw_only=True)
    k: Positive = field(default=1.0, kw_only=True)
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)

    def formula(self) -> list[Instruction]:
        curve: list[Instruction] = [("cosine_decay", [self.init, float(self.length), self.end])]
        if self.exponent != 1:
            weight: list[Instruction] = [("cosine_decay", [1.0, float(self.length), 0.0]), ("raised", [self.exponent])]
            curve = [("constant", [self.init]), *weight, ("blend", [self.end])]
        return bent(curve, self.length, self.k)


@dataclass(frozen=True, eq=False, repr=False)
class LinearCosine(Finite):
    """A cosine within a linear decay:
    ``f(t) = init * ((alpha + 1 - p) * (1 + cos(2 * pi * cycles * p)) / 2 + beta)`` with p = t / steps.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        init: the factor; f(0) is init * (alpha + 1 + beta).
        steps: updates of the whole curve, 1 or more.
        cycles: periods of the cosine. Default 0.5, a single decay.
        alpha: added to the linear part. Default 0.
        beta: added to the product. Default 0.001.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Bello et al. 2017, arXiv:1709.07417, with the defaults of TensorFlow 1.

    >>> LinearCosine(init=1.0, steps=4, beta=0.0)(range(5))
    array([1.        , 0.64016504, 0.25      , 0.03661165, 0.        ])
    """

    init: Real
    steps: Count
    cycles: Real = 0.5
    alpha: Real = 0.0
    beta: Real = 0.001
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)
