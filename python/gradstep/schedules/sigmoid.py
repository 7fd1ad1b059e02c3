"""S-shaped curves."""

from dataclasses import dataclass, field

from gradstep.schedules.base import Schedule
from gradstep.schedules.fields import Count, Real
from gradstep.schedules.finite import EndAt, Finite, Past


@dataclass(frozen=True, eq=False, repr=False)
class TanhDecay(Finite):
    """A hyperbolic tangent: ``f(t) = end + (init - end) * (1 - tanh(x)) / 2``, where x goes from `lower` to
    `upper` in `steps` updates.

    init: what the value comes from; tanh(-7) is -1 to six digits, so by default f(0) is `init` to six.
    steps: updates from lower to upper, 1 or more.
    end: what the value goes to; with upper = 3 a 400th of the way is left at t == steps. Default 0.
    lower: where x begins. Default -7.
    upper: where x ends. Default 3.

    t is the number of updates already applied; f(0) is used by the first update. Raises ValueError or
    TypeError for arguments out of range. Source: Hsueh et al. 2018, arXiv:1806.01593, with the bounds of
    timm.

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

    limit: the value far away, on the side to which the curve rises.
    rate: how steep it is, per update; above 0 it rises to `limit` (Caffe), below 0 it falls from it.
    center: the step at which it is half of `limit`; any number.

    t is the number of updates already applied; f(0) is used by the first update. It has no end. Raises
    ValueError or TypeError for arguments out of range.

    >>> Sigmoid(limit=1.0, rate=-0.5, center=10)([0, 10, 20])
    array([0.99330715, 0.5       , 0.00669285])
    """

    limit: Real
    rate: Real
    center: Real
