"""Piecewise constant schedules."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradstep.schedules.base import Instruction, Schedule
from gradstep.schedules.fields import Count, Increasing, NotNegative, Real, Reals
from gradstep.schedules.landmarks import Landmark


def new_values(steps: Sequence[int]) -> list[Landmark]:
    return [Landmark(t, "takes the new value") for t in steps]


def on_stairs(boundaries: Sequence[int], leaf: Instruction) -> list[Instruction]:
    """A leaf with the number of boundaries reached as its t."""
    return [("stairs", [float(each) for each in boundaries]), leaf, ("back", [])]


@dataclass(frozen=True, eq=False, repr=False)
class StepDecay(Schedule):
    """A factor of `rate` after every `steps` updates: ``f(t) = init * rate**floor(t / steps)``.

    t counts the updates already applied, so the first update uses f(0); at t == steps the value is already the new one.
    It has no end.

    Args:
        init: the value until t == steps - 1.
        steps: updates for each factor, 1 or more.
        rate: the factor, 0 or more.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> StepDecay(init=1.0, steps=2, rate=0.5)(range(5))
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    init: Real
    steps: Count
    rate: NotNegative


@dataclass(frozen=True, eq=False, repr=False)
class MultiStep(Schedule):
    """A factor of `rate` at each milestone: ``f(t) = init * rate**(number of milestones <= t)``.

    t counts the updates already applied, so the first update uses f(0). After the last milestone the value
    holds.

    Args:
        init: the value before the first milestone.
        milestones: increasing steps; at each the value is already the new one.
        rate: the factor, 0 or more.

    Raises:
        ValueError, TypeError: an argument is out of range.

    >>> MultiStep(init=1.0, milestones=[2, 3], rate=0.5)(range(5))
    array([1.  , 1.  , 0.5 , 0.25, 0.25])
    """

    init: Real
    milestones: Increasing
    rate: NotNegative

    def code(self) -> list[Instruction]:
        return on_stairs(self.milestones, ("exponential_decay", [self.init, self.rate, 1.0]))

    def landmarks(self) -> list[Landmark]:
        return new_values(self.milestones)


@dataclass(frozen=True, eq=False, repr=False)
class Piecewise(Schedule):
    """Given values between given steps: ``f(t) = values[number of boundaries <= t]``.

    t counts the updates already applied, so the first update uses f(0). After the last boundary the value
    holds.

    Args:
        boundaries: increasing steps; at each the value is already the new one.
        values: one value more than boundaries.

    Raises:
        ValueError, TypeError: an argument is out of range, or the lengths do not match.

    >>> Piecewise(boundaries=[2, 3], values=[1.0, 0.5, 0.1])(range(5))
    array([1. , 1. , 0.5, 0.1, 0.1])
    """

    boundaries: Increasing
    values: Reals

    def validate(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"there are {len(self.boundaries)} boundaries and {len(self.values)} values: give one value "
                "more than boundaries"
            )

    def code(self) -> list[Instruction]:
        return on_stairs(self.boundaries, ("table", list(self.values)))

    def landmarks(self) -> list[Landmark]:
        return new_values(self.boundaries)
