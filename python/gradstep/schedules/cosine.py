"""Half a cosine."""

from dataclasses import dataclass, field

from gradstep.schedules.fields import Count, Real
from gradstep.schedules.finite import EndAt, Finite, Past


@dataclass(frozen=True, eq=False, repr=False)
class CosineDecay(Finite):
    """Half a period of a cosine: ``f(t) = end + (init - end) * (1 + cos(pi * t / steps)) / 2``.

    init: the value at t = 0, exactly.
    steps: updates from init to end, 1 or more.
    end: the value at t == steps, reached exactly. Default 0.

    t is the number of updates already applied; f(0) is used by the first update. Raises ValueError or
    TypeError for arguments out of range. Source: Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5.

    >>> CosineDecay(init=1.0, steps=4, end=0.5)([0, 2, 4, 5])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    init: Real
    steps: Count
    end: Real = 0.0
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)
