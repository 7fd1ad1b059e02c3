"""Reading of numbers from other libraries' objects, and display of values in messages."""

from __future__ import annotations

import numbers
import reprlib
import sys
from typing import Any

from gradstep.interop.misplaced import remedy_for

__all__ = ["is_masked", "read_float", "shown"]


class _Shown(reprlib.Repr):
    """Shows any value in a few characters."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 200
        self.maxlist = self.maxtuple = 20

    def repr_int(self, x: int, level: int) -> str:
        return f"an integer of {x.bit_length()} bits" if x.bit_length() > 256 else repr(x)


_SHOWN = _Shown()


def shown(value: object) -> str:
    """The ``repr`` of a value, shortened for messages."""
    return _SHOWN.repr(value)


def is_masked(value: object) -> bool:
    """Whether it is a masked array of ``numpy.ma``; masks are not supported."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and isinstance(value, masked.MaskedArray)


def read_float(value: object, name: str) -> float:
    """Read a Python or NumPy number, or a 0-d or one-element array or tensor.

    Raises:
        TypeError: it is not a number.
        ValueError: it is an array of several numbers, or too large for float64.
    """
    if isinstance(value, float):
        return value
    if is_masked(value):
        raise TypeError(f"Invalid {name}: {shown(value)} is masked, and masks are not supported: pass a number")
    held = _item(value, name) if hasattr(value, "item") else value
    if isinstance(held, numbers.Complex) and not isinstance(held, numbers.Real):
        raise TypeError(f"Invalid {name}: {shown(value)} is complex: pass a real number, such as its real part")
    if isinstance(held, bool) or not isinstance(held, numbers.Real):
        raise TypeError(
            f"Invalid {name}: {shown(value)} of type {type(value).__name__}: pass a number or an array of one number"
            + (f"; {remedy}" if (remedy := remedy_for(value)) else "")
        )
    try:
        return float(held)
    except OverflowError as error:
        raise ValueError(f"Invalid {name}: {shown(value)} is too large for float64") from error


def _item(value: Any, name: str) -> object:
    try:
        return value.item()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"Tensor {name} must be 1-element, got {shown(value)}") from error
