"""The numbers in groups: where each is stored, its range, and the errors for wrong values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradstep.interop.scalars import read_float, shown

__all__ = [
    "Group",
    "Hyperparameter",
    "Places",
    "read_hyperparameter",
    "read_switch",
    "read_unscale",
]

Group = dict[str, Any]


@dataclass(frozen=True)
class Hyperparameter:
    """A number in ``group[key]``, or in the tuple there at ``index``, between ``low`` and ``high``."""

    key: str = ""  #: the name of the field that declares it
    index: int | None = None
    length: int = 2  #: of the tuple
    low: float = 0.0
    high: float = math.inf
    includes_low: bool = True
    includes_high: bool = False
    label: str = ""
    read_once: bool = False  #: a schedule makes no sense there
    chooses_kernel: bool = False  #: and therefore must be known to the host
    name: str = ""  #: its name for schedules and the core

    def is_in(self, group: Group) -> bool:
        """Whether the group has a value there, valid or not."""
        value = group.get(self.key)
        if self.index is None:
            return self.key in group
        return isinstance(value, tuple | list) and len(value) > self.index

    def get(self, group: Group) -> Any:
        """The value there."""
        return group[self.key] if self.index is None else group[self.key][self.index]

    def put(self, group: Group, value: float) -> None:
        """Replace the value; a tuple is made again."""
        if self.index is not None:
            values = list(group[self.key])
            values[self.index] = value
            group[self.key] = tuple(values)
        else:
            group[self.key] = value

    @property
    def text(self) -> str:
        """The place as code."""
        return f"group[{self.key!r}]" + (f"[{self.index}]" if self.index is not None else "")

    def allows(self, value: float) -> bool:
        above = value >= self.low if self.includes_low else value > self.low
        below = value <= self.high if self.includes_high else value < self.high
        return above and below

    @property
    def interval(self) -> str:
        opening, closing = "[" if self.includes_low else "(", "]" if self.includes_high else ")"
        return f"{opening}{self.low:g}, {self.high:g}{closing}"


#: hyper-parameters by their names
Places = Mapping[str, Hyperparameter]


def read_unscale(grad_scale: object) -> float:
    """The factor of the gradients if the loss was multiplied by ``grad_scale``.

    Raises:
        TypeError, ValueError: it is not a number above 0, or it or its inverse is infinite.
    """
    scale = read_float(grad_scale, "grad_scale")
    if not scale > 0:
        raise ValueError(f"Invalid grad_scale: {scale}: it multiplied the loss and must be above 0")
    if math.isinf(scale) or math.isinf(1 / scale):
        raise ValueError(f"Invalid grad_scale: {scale}: gradients divided by it are nothing or infinite")
    return 1 / scale


def read_switch(group: Group, name: str) -> float:
    """1 for True and 0 for False, as the core expects.

    Raises:
        TypeError: it is neither.
    """
    value = group[name]
    if not isinstance(value, bool):
        raise TypeError(f"Invalid {name}: {shown(value)}: pass True or False")
    return float(value)


def read_hyperparameter(group: Group, name: str, declared: Hyperparameter) -> float:
    """The number ``name`` of a group, checked.

    Raises:
        TypeError: it is not a number.
        ValueError: it is NaN or outside of its interval.
    """
    given = group[declared.key]
    label = declared.label or f"{declared.key} value"
    if declared.index is not None:
        if not isinstance(given, tuple | list) or len(given) != declared.length:
            wanted = "a pair of numbers" if declared.length == 2 else f"{declared.length} numbers"
            raise TypeError(f"Invalid {declared.key}: {shown(given)}: pass {wanted}")
        value = read_float(given[declared.index], declared.key)
        label = declared.label or f"{declared.key.removesuffix('s')} values"
    else:
        value = read_float(given, name)
    if not declared.allows(value):
        text = ", ".join(map(shown, given)) if declared.index is not None and not declared.label else value
        raise ValueError(f"Invalid {label}: {text}: {name} must be a number in {declared.interval}")
    return value
