"""Schedules from JSON."""

import json
from typing import Any

from gradstep.schedules.base import Schedule
from gradstep.schedules.value import spelled


def from_json(stored: str | dict[str, Any]) -> Schedule:
    """The schedule that ``to_json()`` wrote: its text, or the object that the text stands for.

    Raises TypeError or ValueError where `stored` is no schedule, and what the schedule itself raises where
    an argument is missing, unknown or out of range.

    >>> from gradstep import Constant, from_json
    >>> s = Constant(0.1).warmup(10)
    >>> from_json(s.to_json()) == s
    True
    """
    value = restore(json.loads(stored) if isinstance(stored, str) else stored)
    if not isinstance(value, Schedule):
        raise TypeError(f'{stored!r} is no stored schedule: it must look like {{"schedule": "Constant", "value": 0.1}}')
    return value


def restore(value: Any) -> Any:
    if isinstance(value, list):
        return [restore(each) for each in value]
    if not isinstance(value, dict) or "schedule" not in value:
        return value
    arguments = {name: restore(each) for name, each in value.items() if name != "schedule"}
    kind = Schedule.classes.get(value["schedule"])
    if kind is None:
        known = ", ".join(Schedule.classes)
        raise ValueError(f"there is no schedule {value['schedule']!r}: this version of gradstep has {known}")
    allowed = [spelled(name) for name in kind.checks()]
    if unknown := sorted(arguments.keys() - set(allowed)):
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}: its arguments are {', '.join(allowed)}")
    return kind(**arguments)
