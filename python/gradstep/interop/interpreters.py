"""Which interpreter of a process this is."""

from __future__ import annotations

import ctypes

__all__ = ["is_main"]


def is_main() -> bool:
    """Whether this is the process's main interpreter; in another the core would wait for the GIL for ever."""
    current, main = ctypes.pythonapi.PyInterpreterState_Get, ctypes.pythonapi.PyInterpreterState_Main
    current.restype = main.restype = ctypes.c_void_p
    return bool(current() == main())
