"""Numbers that a training loop reports: losses, metrics, norms."""

from __future__ import annotations

from typing import Any

from gradstep.interop.scalars import read_float

__all__ = ["reported"]


def reported(name: str, value: Any) -> float:
    """Read a reported number; a torch loss may still have its graph.

    Raises:
        TypeError, ValueError: it is neither a number nor an array of one number.

    >>> import numpy as np
    >>> reported("loss", np.array([0.5]))
    0.5
    """
    try:
        number = value.item() if hasattr(value, "item") else value
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name} is an array of shape {tuple(value.shape)}: pass a number or an array of one number"
        ) from error
    return read_float(number, name)
