"""How many threads a step may use."""

from __future__ import annotations

import os
import sys

from gradstep import _core

__all__ = ["get_num_threads", "set_num_threads"]

_chosen: int | None = None


def set_num_threads(threads: int | None) -> None:
    """Set the number of threads of every later step; results do not depend on it.

    Args:
        threads: at least 1, or None to follow torch (where it is imported), ``OMP_NUM_THREADS`` or the machine again.

    Raises:
        ValueError: it is below 1.

    >>> import gradstep
    >>> gradstep.set_num_threads(1)
    >>> gradstep.get_num_threads()
    1
    >>> gradstep.set_num_threads(None)
    """
    global _chosen
    if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
        raise ValueError(f"threads is {threads!r}: pass a whole number from 1 on, or None for the default")
    _chosen = threads


def get_num_threads() -> int:
    """The threads that a step may use: what was set, else torch's, else ``OMP_NUM_THREADS``, else the cores."""
    if _chosen is not None:
        return _chosen
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    setting = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(setting) if setting.isdigit() and int(setting) else _core.hardware_threads()
