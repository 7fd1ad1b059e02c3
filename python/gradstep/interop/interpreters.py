"""Detection of subinterpreters."""

from __future__ import annotations

import ctypes

__all__ = ["is_main"]


def is_main() -> bool:
    """Whether this is the process's main interpreter. In another one the core would wait for the GIL forever."""
    current, main = ctypes.pythonapi.PyInterpreterState_Get, ctypes.pythonapi.PyInterpreterState_Main
    current.restype = main.restype = ctypes.c_void_p
    return bool(current() == main())
