"""What has changed from one schedule to another."""

from collections.abc import Iterator
from typing import Any

from gradstep.schedules.base import Schedule
from gradstep.schedules.value import shown, spelled


def difference(saved: Schedule, given: Schedule) -> str:
    """Each argument that differs, one a line: where it is, what it was and what it is; "" for equal ones.

    >>> from gradstep import CosineDecay
    >>> from gradstep.schedules import difference
    >>> saved = CosineDecay(0.1, steps=100).warmup(10)
    >>> print(difference(saved, CosineDecay(0.1, steps=90, end=0.01).warmup(10)))
    base.steps (of CosineDecay): 100 -> 90
    base.end (of CosineDecay): 0.0 -> 0.01
    """
    return "\n".join(changes(saved, given, "", "the schedule"))


def changes(saved: Any, given: Any, path: str, place: str) -> Iterator[str]:
    """The lines for two values. `place` is the path in words."""
    if isinstance(saved, Schedule) and type(saved) is type(given):
        for name in saved.checks():
            inner = f"{path}.{spelled(name)}".lstrip(".")
            place = f"{inner} (of {type(saved).__name__})"
            yield from changes(getattr(saved, name), getattr(given, name), inner, place)
    elif nested(saved) and nested(given) and len(saved) == len(given):
        for i, (before, after) in enumerate(zip(saved, given, strict=True)):
            inner = f"{path}[{i}]"
            yield from changes(before, after, inner, inner)
    elif saved != given:
        yield f"{place}: {shown(saved)} -> {shown(given)}"


def nested(value: Any) -> bool:
    """Whether it is a list of schedules, each of which can be named on its own."""
    return isinstance(value, tuple) and all(isinstance(each, Schedule) for each in value)
