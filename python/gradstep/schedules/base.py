"""The base of all schedules: a value that is called with a step and combined with others."""

import dataclasses
import numbers
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from gradstep import _core
from gradstep.interop.scalars import shown
from gradstep.interop.threads import get_num_threads
from gradstep.schedules.fields import count_or_zero, whole
from gradstep.schedules.landmarks import Landmark
from gradstep.schedules.steps import one_step, step_array
from gradstep.schedules.value import Value, computed_once

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gradstep.schedules.warmup import Kind, Mode

Instruction: TypeAlias = tuple[str, list[float]]


class Schedule(Value, abstract=True):
    """A rate as a function of the step: ``s(t)`` is a number, ``s([t0, t1, ...])`` an array.

    t counts the updates already applied, so the first update uses ``s(0)``. A schedule is an immutable value without
    state: it can be evaluated at any steps in any order and always gives the same values. It raises ValueError at a
    step where its value is not finite (where it divides by 0, for example).

    >>> from gradstep import CosineDecay
    >>> s = CosineDecay(init=1.0, steps=100).warmup(5)
    >>> s(0), s(4)
    (0.2, 1.0)
    >>> s([4, 54, 104])
    array([1. , 0.5, 0. ])
    """

    operation: ClassVar[str]
    """The name of its formula in cpp/schedules."""

    offered: ClassVar[tuple[str, ...]] = (
        *("clip", "describe", "plot", "repeat", "shift", "smooth", "stretch", "then", "warmup"),
        *Value.offered,
    )

    __array_ufunc__ = None  # makes NumPy's numbers leave operators to the schedule on their right

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(abstract)
        cls.operation = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def code(self) -> list[Instruction]:
        """The instructions of the schedule's program: for a leaf, its formula with its arguments."""
        names = self.checks()
        return [(self.operation, [float(getattr(self, name)) for name in names])]

    def landmarks(self) -> list[Landmark]:
        """The steps that `describe` reports; by default those of its parts."""
        parts = (getattr(self, name) for name in self.checks())
        return [mark for part in parts if isinstance(part, Schedule) for mark in part.landmarks()]

    @computed_once
    def program(self) -> _core.Program:
        """The compiled schedule. ``program.at(t)`` is the value at one step."""
        return _core.Program(self.code())

    @overload
    def __call__(self, t: int) -> float: ...
    @overload
    def __call__(self, t: npt.NDArray[Any] | Sequence[int]) -> npt.NDArray[np.float64]: ...
    def __call__(self, t: Any) -> Any:
        if type(t) is int:
            try:
                return self.program.at(t)
            except TypeError:  # beyond int64
                return self.program.at(one_step(t))
        if isinstance(t, numbers.Integral):
            return self.program.at(one_step(t))
        return self.program.evaluate(step_array(t), get_num_threads())

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        from gradstep.schedules.operators import Product

        return combine(Product, self, other)

    def __rmul__(self, other: float) -> "Schedule":
        from gradstep.schedules.operators import Product

        return combine(Product, other, self)

    def __add__(self, other: "Schedule | float") -> "Schedule":
        from gradstep.schedules.operators import Sum

        return combine(Sum, self, other)

    def __radd__(self, other: float) -> "Schedule":
        from gradstep.schedules.operators import Sum

        return combine(Sum, other, self)

    def __sub__(self, other: "Schedule | float") -> "Schedule":
        from gradstep.schedules.operators import Difference

        return combine(Difference, self, other)

    def __rsub__(self, other: float) -> "Schedule":
        from gradstep.schedules.operators import Difference

        return combine(Difference, other, self)

    def __truediv__(self, other: "Schedule | float") -> "Schedule":
        from gradstep.schedules.operators import Quotient

        return combine(Quotient, self, other)

    def __rtruediv__(self, other: float) -> "Schedule":
        from gradstep.schedules.operators import Quotient

        return combine(Quotient, other, self)

    def __neg__(self) -> "Schedule":
        from gradstep.schedules.operators import Negative

        return Negative(self)

    def __pow__(self, exponent: float) -> "Schedule":
        if not isinstance(exponent, numbers.Real):
            return NotImplemented
        from gradstep.schedules.operators import Power

        return Power(self, exponent)

    def clip(self, lo: float | None = None, hi: float | None = None) -> "Schedule":
        """The values of this schedule, bounded by `lo` and `hi`. See `Clip`."""
        from gradstep.schedules.operators import Clip

        return Clip(self, lo, hi)

    def then(self, other: "Schedule | float", at: int) -> "Schedule":
        """This schedule until step `at`; from there on `other`, which starts at its own t = 0. See `Join`."""
        from gradstep.schedules.joining import Join

        return Join(cast(Any, [self, other]), [count_or_zero("at", at)])

    def shift(self, n: int) -> "Schedule":
        """This schedule n steps later (earlier, for a negative n). See `Shift`."""
        from gradstep.schedules.times import Shift

        return Shift(self, n)

    def stretch(self, k: float, staircase: bool = False) -> "Schedule":
        """This schedule k times slower: what took n steps takes k * n. See `Stretch`."""
        from gradstep.schedules.times import Stretch

        return Stretch(self, k, staircase)

    def repeat(self, n: int) -> "Schedule":
        """The first n steps of this schedule, over and over. See `Repeat`."""
        from gradstep.schedules.times import Repeat

        return Repeat(self, n)

    def smooth(self, momentum: float, steps: int) -> "Schedule":
        """An exponential moving average of this schedule over `steps` steps. See `Smooth`."""
        from gradstep.schedules.coupling import Smooth

        return Smooth(self, momentum, steps)

    def warmup(
        self,
        n: int,
        start: float = 0.0,
        kind: "Kind" = "linear",
        mode: "Mode" = "prefix",
        offset: int = 1,
        power: float = 1.0,
        *,
        within: int | None = None,
    ) -> "Schedule":
        """This schedule after a rise from `start` over n updates; ``warmup(0)`` is this schedule itself.

        See `Warmup` for the kinds, the modes and the exact first and last step.

        Args:
            within: the updates of the whole run, warmup included. In mode="prefix" this schedule waits for the warmup
                and so ends n - offset updates later than without it; within=total gives it ``steps = total - (n -
                offset)`` instead of its own, so that it ends at t == total and no update of the run is wasted at 0.
                In the modes "overlay" and "scale" it runs from t = 0 and ends where it does without a warmup: pass its
                own steps there. Default None, for the steps that it has.

        Raises:
            ValueError, TypeError: an argument is out of range, or this schedule has no steps to be changed.

        >>> from gradstep import Linear
        >>> s = Linear(1.0, 0.0, steps=8).warmup(5, within=8)
        >>> s
        Linear(init=1.0, end=0.0, steps=4).warmup(5)
        >>> s(range(9))
        array([0.2 , 0.4 , 0.6 , 0.8 , 1.  , 0.75, 0.5 , 0.25, 0.  ])
        """
        from gradstep.schedules.warmup import Warmup, fitted

        if whole("n", n) == 0:
            return self if within is None else fitted(self, within, 0, mode)
        warmed = Warmup(self, n, start, kind, mode, offset, power)
        if within is None:
            return warmed
        return dataclasses.replace(warmed, base=fitted(self, within, warmed.complete, mode))

    def _repr_html_(self) -> str:
        """The curve and the code, as notebooks show a schedule."""
        from gradstep.schedules.svg import html

        return html(self)

    def describe(self, steps: int) -> str:
        """Describe the first `steps` updates: what happens at which step, and what looks like a mistake.

        See `gradstep.schedules.description.describe`.
        """
        from gradstep.schedules.description import describe

        return describe(self, steps)

    def plot(self, steps: int, axes: "Axes | None" = None, label: str | None = None) -> "Axes":
        """Draw the values of the first `steps` updates and return the axes. It needs matplotlib.

        Args:
            steps: the number of updates, 1 or more.
            axes: matplotlib's axes to draw into. Default: those of a new figure, shown by ``pyplot.show()``.
            label: the name in a legend. Default: the schedule as code.

        Raises:
            ValueError, TypeError: `steps` is not a number of updates.
        """
        from gradstep.schedules.plot import draw, new_axes

        axes = new_axes() if axes is None else axes
        draw(axes, {repr(self) if label is None else label: self}, steps)
        return axes


def combine(operator: type[Schedule], left: Any, right: Any) -> Schedule:
    """Apply an operator to two schedules, or to a schedule and a number; NotImplemented for anything else."""
    if not all(isinstance(each, (Schedule, numbers.Real)) for each in (left, right)):
        return NotImplemented  # type: ignore[no-any-return]
    made: Schedule = cast(Any, operator)(left, right)
    return made


def as_schedule(value: Any) -> Schedule:
    """Return a schedule unchanged and a number as a `Constant`.

    Raises:
        TypeError: the value is neither a schedule nor a number.
        ValueError: the number is not finite.

    >>> from gradstep import as_schedule
    >>> as_schedule(0.1)
    Constant(value=0.1)
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{shown(value)}, a {type(value).__name__}, is not a schedule: pass a schedule or a number")
    from gradstep.schedules.constant import Constant

    return Constant(cast(float, value))
