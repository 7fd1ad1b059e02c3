"""The differences between two schedules."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gradstep.schedules.base import Schedule
from gradstep.schedules.value import shown, spelled


def difference(saved: Schedule, given: Schedule) -> str:
    """The arguments that differ, one a line, with both values; "" for equal schedules.

    Args:
        saved: the schedule that an argument had.
        given: the one that it has now.

    >>> from gradstep import CosineDecay
    >>> from gradstep.schedules import difference
    >>> saved = CosineDecay(0.1, steps=100).warmup(10)
    >>> print(difference(saved, CosineDecay(0.1, steps=90, end=0.01).warmup(10)))
    base.steps (of CosineDecay): 100 -> 90
    base.end (of CosineDecay): 0.0 -> 0.01
    """
    return "\n".join(changes(saved, given, Place("", "the schedule")))


class Place(NamedTuple):
    path: str
    words: str


def changes(saved: Any, given: Any, at: Place) -> Iterator[str]:
    """The lines for two values at the same place: those of their parts if they can be compared, otherwise one."""
    if isinstance(saved, Schedule) and type(saved) is type(given):
        for name in saved.checks():
            path = f"{at.path}.{spelled(name)}".lstrip(".")
            inner = Place(path, f"{path} (of {type(saved).__name__})")
            yield from changes(getattr(saved, name), getattr(given, name), inner)
    elif are_schedules(saved) and are_schedules(given) and len(saved) == len(given):
        for i, (before, after) in enumerate(zip(saved, given, strict=True)):
            path = f"{at.path}[{i}]"
            yield from changes(before, after, Place(path, path))
    elif saved != given:
        yield f"{at.words}: {shown(saved)} -> {shown(given)}"


def are_schedules(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, Schedule) for each in value)
