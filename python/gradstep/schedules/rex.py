"""A decay that is slow first and fast at the end."""

from dataclasses import dataclass, field

from gradstep.schedules.fields import Count, Real
from gradstep.schedules.finite import EndAt, Finite, Past


@dataclass(frozen=True, eq=False, repr=False)
class REX(Finite):
    """Reflected exponential decay: ``f(t) = end + (init - end) * (1 - p) / (1 - p / 2)`` with p = t / steps.

    t counts the updates already applied, so the first update uses f(0). The formula has a pole at t == 2 *
    steps, so it can't be extrapolated.

    Args:
        init: the value at t = 0.
        steps: updates from init to end, 1 or more.
        end: the value at t == steps, reached exactly. Default 0.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Chen et al. 2021, arXiv:2107.04197.

    >>> REX(init=1.0, steps=4)([0, 2, 4, 5])
    array([1.        , 0.66666667, 0.        , 0.        ])
    """

    init: Real
    steps: Count
    end: Real = 0.0
    end_at: EndAt = field(default="steps", kw_only=True)
    past: Past = field(default="hold", kw_only=True)

    def validate(self) -> None:
        super().validate()
        if self.past == "extrapolate":
            raise ValueError("past is 'extrapolate', but the formula has a pole at t == 2 * steps: use another past")
