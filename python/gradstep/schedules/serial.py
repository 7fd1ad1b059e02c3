"""Schedules from JSON."""

import json
from typing import Any

from gradstep.interop.scalars import shown
from gradstep.schedules.base import Schedule
from gradstep.schedules.limits import limits
from gradstep.schedules.value import spelled


def from_json(stored: str | dict[str, Any]) -> Schedule:
    """The schedule that ``to_json()`` wrote.

    Args:
        stored: the text, or the object that the text describes.

    Raises:
        TypeError, ValueError: `stored` is not a schedule or exceeds `gradstep.schedules.limits`, or an argument of the
            schedule is missing, unknown or out of range.

    >>> from gradstep import Constant, from_json
    >>> s = Constant(0.1).warmup(10)
    >>> from_json(s.to_json()) == s
    True
    """
    try:
        value = restore(read(stored) if isinstance(stored, str) else stored)
    except RecursionError:
        raise ValueError(
            f"the stored schedule is nested more than {limits.depth} deep, so that it can't be read: {shown(stored)}"
        ) from None
    if not isinstance(value, Schedule):
        raise TypeError(
            f'{shown(stored)} is not a stored schedule: it must look like {{"schedule": "Constant", "value": 0.1}}'
        )
    return value


def read(text: str) -> Any:
    limits.check("json", len(text), f"the stored schedule has {len(text)} characters")
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a stored schedule, which is JSON: {error}") from error


def restore(value: Any) -> Any:
    if isinstance(value, list):
        return [restore(each) for each in value]
    if not isinstance(value, dict) or "schedule" not in value:
        return value
    arguments = {name: restore(each) for name, each in value.items() if name != "schedule"}
    name = value["schedule"]
    kind = Schedule.classes.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(Schedule.classes)
        raise ValueError(f"there is no schedule {shown(name)}: this version of gradstep has {known}")
    allowed = [spelled(name) for name in kind.checks()]
    if unknown := [each for each in arguments if each not in allowed]:
        raise ValueError(f"{kind.__name__} has no {unknown[0][:100]}: its arguments are {', '.join(allowed)}")
    return kind(**arguments)
