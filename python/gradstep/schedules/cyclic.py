"""Rates that rise and fall periodically."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.constant import Constant
from gradstep.schedules.fields import Count, Positive, Real, count, one_of, real
from gradstep.schedules.points import pairs


def optional_count(name: str, value: Any) -> int | None:
    return None if value is None else count(name, value)


@dataclass(frozen=True, eq=False, repr=False)
class Cyclic(Schedule):
    """A triangle wave between two values: ``f(t) = base + (peak - base) * scale * triangle``.

    The triangle rises from 0 to 1 in `up` updates and falls back in `down`.

    t counts the updates already applied, so the first update uses f(0). It has no end.

    Args:
        base: the value at t = 0 and at the end of each cycle.
        peak: the value at t == up.
        up: updates from base to peak, 1 or more.
        down: updates from peak to base, 1 or more. Default: as many as `up`.
        mode: the height of the peaks. "triangular" (the default): constant, scale = 1. "triangular2":
            halved in each cycle, scale = 0.5**(cycles completed). "exp_range": decaying with each update,
            scale = gamma**t.
        gamma: above 0, for "exp_range" only. Default 1.

    Raises:
        ValueError, TypeError: an argument is out of range.

    Source: Smith 2015, arXiv:1506.01186.

    >>> Cyclic(base=0.0, peak=1.0, up=2, down=4)(range(9))
    array([0.  , 0.5 , 1.  , 0.75, 0.5 , 0.25, 0.  , 0.5 , 1.  ])
    >>> Cyclic(base=0.0, peak=1.0, up=1, mode="triangular2")(range(6))
    array([0.  , 1.  , 0.  , 0.5 , 0.  , 0.25])
    """

    base: Real
    peak: Real
    up: Count
    down: Annotated[int | None, optional_count] = None
    mode: Annotated[
        Literal["triangular", "triangular2", "exp_range"], one_of("triangular", "triangular2", "exp_range")
    ] = "triangular"
    gamma: Positive = 1.0

    def validate(self) -> None:
        if self.gamma != 1 and self.mode != "exp_range":
            raise ValueError(f"gamma is {self.gamma}, but mode is {self.mode!r}: only mode='exp_range' decays by gamma")

    def code(self) -> list[Instruction]:
        up, down = float(self.up), float(self.down or self.up)
        scale: dict[str, list[Instruction]] = {
            "triangular": [],
            "triangular2": [("step_decay", [1.0, up + down, 0.5]), ("times", [])],
            "exp_range": [("exponential_decay", [1.0, self.gamma, 1.0]), ("times", [])],
        }
        return [*Constant(self.peak).code(), ("triangle", [up, down]), *scale[self.mode], ("blend", [self.base])]


@dataclass(frozen=True, eq=False, repr=False)
class Periodic(Schedule):
    """Other rates at regular steps: ``f(t) = eta_i if t % T_i == 0 else base``.

    t counts the updates already applied, so the first update uses f(0). It has no end. Raises
    ValueError or TypeError for arguments out of range.

    Args:
        base: the value at all other steps.
        stages: pairs (T_i, eta_i) of a period in updates, 1 or more, and a value. Where several match, as all do at
            t = 0, the last one listed is used.

    >>> Periodic(base=0.1, stages=[(2, 0.2), (3, 0.3)])(range(8))
    array([0.3, 0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.1])
    """

    base: Real
    stages: Annotated[Sequence[tuple[int, float]], pairs(count, real)]

    def code(self) -> list[Instruction]:
        return [*Constant(self.base).code(), *(("every", [float(period), rate]) for period, rate in self.stages)]
