"""Helpers of the converters: reading another library's settings, and errors for what can't be converted."""

import itertools
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gradstep.schedules import MultiStep, Piecewise, Schedule

Found = TypeVar("Found")

CALLABLE = "gradstep.Callable(fn, steps), where fn(t) is the rate of update t"


def updates(name: str, value: Any) -> int:
    """A number of steps. Other libraries accept floats too."""
    whole = int(value)
    if whole != value:
        raise ValueError(f"{name} is {value}: a schedule counts whole updates; round it, or use {CALLABLE}")
    return whole


def find(converters: Mapping[str, Found], kind: str, peer: str) -> Found:
    if kind not in converters:
        raise TypeError(
            f"{kind} of {peer} can't be converted; can be: {', '.join(converters)}. For others use {CALLABLE}"
        )
    return converters[kind]


def kind_of(scheduler: Any, module: str) -> str:
    """The name of a class of another library. Derived classes may compute something else and are refused."""
    kind = type(scheduler)
    if not kind.__module__.startswith(module):
        raise TypeError(f"{scheduler!r}, a {kind.__module__}.{kind.__name__}, is not in {module}: use {CALLABLE}")
    return kind.__name__


def multi_step(init: float, milestones: Iterable[int], rate: float) -> Schedule:
    """A factor at each milestone; a milestone that is given twice counts twice."""
    times = sorted(Counter(milestones).items())
    if all(count == 1 for _, count in times):
        return MultiStep(init, [at for at, _ in times], rate)
    values = itertools.accumulate((rate**count for _, count in times), operator.mul, initial=init)
    return Piecewise([at for at, _ in times], list(values))


def of_groups(convert: Callable[[int], Schedule], groups: int, group: int | None) -> Schedule:
    """The schedule of one of the optimizer's groups; for None that of all, which must be equal."""
    if group is not None:
        return convert(group)
    schedules = [convert(each) for each in range(groups)]
    if len(set(schedules)) > 1:
        raise ValueError(f"the {groups} groups have different schedules: say which, as in group=0")
    return schedules[0]
