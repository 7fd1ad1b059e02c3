"""What every schedule is: an immutable value that can be called, combined, compared, printed and stored."""

import dataclasses
import functools
import hashlib
import json
import numbers
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, get_type_hints, overload

import numpy as np
import numpy.typing as npt

from gradstep import _core
from gradstep.schedules.fields import whole
from gradstep.schedules.steps import one_step, step_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Instruction: TypeAlias = tuple[str, list[float]]


class Schedule:
    """A rate as a function of the step: ``s(t)`` is a number, ``s([t0, t1, ...])`` an array of them.

    t is the number of updates already applied, so ``s(0)`` is used by the first update. A schedule is a
    value: it holds no state, any step can be asked for in any order, and the answer is always the same.

    >>> from gradstep import CosineDecay
    >>> s = CosineDecay(init=1.0, steps=100).warmup(5)
    >>> s(0), s(4)
    (0.2, 1.0)
    >>> s([4, 54, 104])
    array([1. , 0.5, 0. ])
    """

    classes: ClassVar[dict[str, type["Schedule"]]] = {}
    """Every kind of schedule, by the name that stands in JSON."""

    operation: ClassVar[str]
    """The name of the formula in cpp/schedules."""

    __array_ufunc__ = None  # a NumPy number on the left of an operator leaves it to the schedule

    def __init_subclass__(cls, abstract: bool = False) -> None:
        if not abstract:
            Schedule.classes[cls.__name__] = cls
        cls.operation = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @functools.cache
    def checks(cls) -> dict[str, Any]:
        """The check of each argument, from its annotation."""
        hints = get_type_hints(cls, include_extras=True)
        return {each.name: hints[each.name].__metadata__[0] for each in dataclasses.fields(cls)}  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        for name, check in self.checks().items():
            object.__setattr__(self, name, check(spelled(name), getattr(self, name)))
        self.validate()

    def validate(self) -> None:
        """Checks the arguments against one another."""

    def arguments(self) -> dict[str, Any]:
        """The arguments that differ from their defaults, by name."""
        defaults = {each.name: each.default for each in dataclasses.fields(self)}  # type: ignore[arg-type]
        values = ((name, getattr(self, name)) for name in self.checks())
        return {spelled(name): value for name, value in values if value != defaults[name]}

    def code(self) -> list[Instruction]:
        """The instructions of this schedule's program: for a leaf, its formula over its arguments."""
        names = self.checks()
        return [(self.operation, [float(getattr(self, name)) for name in names])]

    @functools.cached_property
    def program(self) -> _core.Program:
        """The compiled form. ``program.at(t)`` is the value at one step."""
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
        return self.program.evaluate(step_array(t))

    def to_json(self) -> str:
        """This schedule as JSON text; ``from_json`` gives it back. Arguments at their defaults are left out.

        >>> from gradstep import Linear
        >>> Linear(0.1, 0.0, 100).to_json()
        '{"schedule":"Linear","init":0.1,"end":0.0,"steps":100}'
        """
        return json.dumps(self, default=plain, separators=(",", ":"))

    @functools.cached_property
    def _identity(self) -> tuple[str, int]:
        text = self.to_json()
        return text, int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def __eq__(self, other: object) -> bool:
        return self._identity == other._identity if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return self._identity[1]

    def __reduce__(self) -> Any:
        from gradstep.schedules.serial import from_json

        return from_json, (self.to_json(),)

    def __repr__(self) -> str:
        given = (f"{name}={shown(value)}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({', '.join(given)})"

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        return combine("Product", self, other)

    def __rmul__(self, other: float) -> "Schedule":
        return combine("Product", other, self)

    def __add__(self, other: "Schedule | float") -> "Schedule":
        return combine("Sum", self, other)

    def __radd__(self, other: float) -> "Schedule":
        return combine("Sum", other, self)

    def __sub__(self, other: "Schedule | float") -> "Schedule":
        return combine("Difference", self, other)

    def __rsub__(self, other: float) -> "Schedule":
        return combine("Difference", other, self)

    def clip(self, lo: float | None = None, hi: float | None = None) -> "Schedule":
        """This schedule's values, but never below `lo` nor above `hi`. See `Clip`."""
        return make("Clip", self, lo, hi)

    def then(self, other: "Schedule | float", at: int) -> "Schedule":
        """This schedule until step `at`, and `other`, which starts at its own 0, from `at` on. See `Then`."""
        return make("Then", self, as_schedule(other), at)

    def shift(self, n: int) -> "Schedule":
        """This schedule n steps later (earlier, for a negative n). See `Shift`."""
        return make("Shift", self, n)

    def warmup(
        self, n: int, start: float = 0.0, kind: str = "linear", mode: str = "prefix", offset: int = 1
    ) -> "Schedule":
        """Rises from `start` to this schedule over n updates; ``warmup(0)`` is this schedule itself.

        See `Warmup` for the modes and the exact first and last step.
        """
        if whole("n", n) == 0:
            return self
        return make("Warmup", self, n, start, kind=kind, mode=mode, offset=offset)

    def plot(self, steps: int, axes: "Axes | None" = None, label: str | None = None) -> "Axes":
        """Draws the values of the first `steps` updates, and returns the axes. It needs matplotlib.

        axes: matplotlib's axes to draw into. Default: those of a new figure, shown by ``pyplot.show()``.
        label: the name in a legend. Default: the schedule as code.

        Raises ValueError or TypeError for steps that are no count.
        """
        from gradstep.schedules.plot import draw, new_axes

        axes = new_axes() if axes is None else axes
        draw(axes, {repr(self) if label is None else label: self}, steps)
        return axes


def make(name: str, *arguments: Any, **options: Any) -> Schedule:
    """An operator by its name: their classes derive from Schedule, so its module can't import them."""
    kind: Any = Schedule.classes[name]
    made: Schedule = kind(*arguments, **options)
    return made


def combine(name: str, left: Any, right: Any) -> Schedule:
    """The operator on two schedules or a schedule and a number; Python tries others for anything else."""
    if not all(isinstance(each, (Schedule, numbers.Real)) for each in (left, right)):
        return NotImplemented  # type: ignore[no-any-return]
    return make(name, as_schedule(left), as_schedule(right))


def as_schedule(value: Any) -> Schedule:
    """A schedule for anything that may stand for one: itself, or the number that it is at every step.

    Raises TypeError for anything else and ValueError for a number that is not finite.

    >>> from gradstep import as_schedule
    >>> as_schedule(0.1)
    Constant(value=0.1)
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{value!r}, a {type(value).__name__}, is no schedule: give a schedule or a number")
    return make("Constant", value)


def spelled(field: str) -> str:
    """The argument of a field. A field whose name is also a method's has an underscore after it."""
    return field.rstrip("_")


def plain(value: Any) -> dict[str, Any]:
    if isinstance(value, Schedule):
        return {"schedule": type(value).__name__, **value.arguments()}
    raise TypeError(f"{value!r} has no place in a schedule's JSON")


def shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)
