"""S-shaped curves."""

from dataclasses import dataclass, field

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Count, Real
from gradstep.schedules.finite import EndAt, Finite, Past


@dataclass(frozen=True, eq=False, repr=False)
class TanhDecay(Finite):
    """A hyperbolic tangent: ``f(t) = end + (init - end) * (1 - tanh(x)) / 2``, where x goes from `lower` to
    `upper` in `steps` updates.

    t counts the updates already applied, so the first update uses f(0).

    Args:
        init: the limit before the decay; tanh(-7) is -1 to six digits, so by default f(0) is `init` to six digits.
        steps: updates from lower to upper, 1 or more.
        end: the limit after the decay; with upper = 3, 1/400 of the difference is left at t == steps. Default 0.
        lower: x at t = 0. Default -7.
        upper: x at t == steps. Default 3.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Hsueh et al. 2018, arXiv:1806.01593, with the bounds of timm.

    >>> TanhDecay(init=1.0, steps=10)([0, 7, 10])
    array([0.99999917, 0.5       , 0.00247262])
    """

    init: Real
    steps: Count
    end: Real = 0.0
    lower: Real = -7.0
    upper: Real = 3.0
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)


@dataclass(frozen=True, eq=False, repr=False)
class Sigmoid(Schedule):
    """The logistic curve: ``f(t) = limit / (1 + exp(-rate * (t - center)))``.

    t counts the updates already applied, so the first update uses f(0). It has no end. Raises
    ValueError or TypeError for arguments out of range.

    Args:
        limit: the upper asymptote; the lower one is 0.
        rate: the steepness per update; above 0 the curve rises to `limit` (Caffe), below 0 it falls from it.
        center: the step at which the value is half of `limit`; any number.

    >>> Sigmoid(limit=1.0, rate=-0.5, center=10)([0, 10, 20])
    array([0.99330715, 0.5       , 0.00669285])
    """

    limit: Real
    rate: Real
    center: Real
