"""Optimizers as text: what differs from the defaults, with schedules as code and their present values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from gradstep.interop.scalars import shown
from gradstep.rules.base import CLASS
from gradstep.rules.hyperparameters import Group, Hyperparameter
from gradstep.rules.rate_scale import SCALE
from gradstep.schedules import Schedule

__all__ = ["in_a_line", "in_groups", "never_raises"]

#: keys that the library keeps in a group besides its options, and the names of its parameters
_UNSHOWN = {"params", "param_names", "schedules", "updates", "accumulated", "summed", "last_norm", CLASS}
#: other keys that it keeps there, shown if they have another value
_AT_REST = {SCALE: 1.0, "train_mode": True}
_MOST_GROUPS = 3


def never_raises(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """A ``__repr__`` that shows no more than the type of an object that can't be described.

    Debuggers and tracebacks also show objects whose constructor has failed and groups with invalid values.
    """

    def __repr__(self: Any) -> str:
        try:
            return write(self)
        except Exception:
            return object.__repr__(self)

    return __repr__


def in_a_line(optimizer: Any) -> str:
    """Its options, those of single groups, and the number and size of its parameters."""
    groups = [dict(_changed(optimizer, i, group)) for i, group in enumerate(optimizer.param_groups)]
    common = {key: text for key, text in groups[0].items() if all(each.get(key) == text for each in groups)}
    parts = [_listed(common)] if common else []
    for i, each in enumerate(groups[:_MOST_GROUPS] if len(groups) > 1 else ()):
        own = {key: text for key, text in each.items() if key not in common}
        parts.append(f"group {i}: {_listed(own)}" if own else f"group {i}")
    if len(groups) > _MOST_GROUPS:
        parts.append(_counted(len(groups) - _MOST_GROUPS, "more group"))
    return f"{type(optimizer).__name__}({'; '.join([*parts, _size(optimizer)])})"


def in_groups(optimizer: Any) -> str:
    """Its groups in torch's layout."""
    lines = [f"{type(optimizer).__name__} ("]
    for i, group in enumerate(optimizer.param_groups):
        lines.append(f"Parameter Group {i}")
        lines += [f"    {key}: {text}" for key, text in _changed(optimizer, i, group)]
    return "\n".join([*lines, ")"])


def _changed(optimizer: Any, i: int, group: Group) -> Iterator[tuple[str, str]]:
    """The rate, and the values of a group that are not the class's defaults."""
    defaults, schedules = optimizer.default_group(), _schedules(optimizer, i, group)
    places = optimizer.hyperparameters()
    keys = [*defaults, *(key for key in group if key not in defaults and key not in _UNSHOWN)]
    for key in keys:
        if key not in group or (key in _AT_REST and _is_same(group[key], _AT_REST[key])):
            continue
        scheduled = {name: each for name, each in schedules.items() if places[name].key == key}
        if scheduled:
            yield key, _scheduled(group[key], [(places[name], each) for name, each in scheduled.items()])
        elif key == "lr" or key not in defaults or not _is_same(group[key], defaults[key]):
            yield key, _value(group[key])


def _schedules(optimizer: Any, i: int, group: Group) -> dict[str, Schedule]:
    known = optimizer._known_groups
    if i < len(known) and known[i] is group:
        return dict(optimizer._schedules[i].driving(group))
    return {}  # a group that was replaced: the next step reads its schedules


def _scheduled(value: Any, found: list[tuple[Hyperparameter, Schedule]]) -> str:
    """A value that schedules write, as their code; of a tuple they may write only some numbers."""
    place, schedule = found[0]
    if place.index is None:
        return f"{shown(schedule)} [now {_value(value)}]"
    texts = [_value(each) for each in value]
    for each, schedule in found:
        assert each.index is not None
        texts[each.index] = f"{shown(schedule)} [now {texts[each.index]}]"
    return f"({', '.join(texts)})"


def _value(value: Any) -> str:
    """A number without the noise of its last digits; anything else as code."""
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return shown(value)


def _is_same(value: Any, default: Any) -> bool:
    """Whether a plain value is the default: arrays are not compared, and 1 is not True."""
    if type(value) is not type(default) and {type(value), type(default)} != {int, float}:
        return False
    return bool(value == default)


def _listed(options: dict[str, str]) -> str:
    return ", ".join(f"{key}={text}" for key, text in options.items())


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _size(optimizer: Any) -> str:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbers = sum(math.prod(parameter.shape) for parameter in parameters)
    sizes = [_counted(len(parameters), "tensor"), _counted(numbers, "number")]
    updates = _updates(optimizer)
    return ", ".join(sizes if updates is None else [*sizes, _counted(updates, "update")])


def _updates(optimizer: Any) -> int | None:
    """The updates made, by the count of a schedule or of the first parameter; None where nothing on the host counts."""
    group = optimizer.param_groups[0]
    if "updates" in group:
        return int(group["updates"])
    if "step" not in optimizer.numbers:
        return None
    step = (optimizer._known_state(0, group["params"][0]) or {}).get("step", 0)
    is_here = str(getattr(step, "device", "cpu")) == "cpu"  # reading another device's would wait for it
    return int(step) if is_here else None
