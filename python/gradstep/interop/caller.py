"""Warnings that name the line of the program that called the library, however deep inside they arise."""

import sys
import warnings

__all__ = ["warn_caller"]

_INSIDE = {"gradstep", "torch"}


def warn_caller(message: str) -> None:
    """Issue a UserWarning at the nearest line that is outside of gradstep and torch."""
    frame, level = sys._getframe(1), 2  # 2 is the caller of this function
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
