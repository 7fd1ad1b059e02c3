"""How many threads a step may use."""

from __future__ import annotations

import os
import sys

from gradstep import _core
from gradstep.interop.scalars import shown

__all__ = ["get_num_threads", "set_num_threads"]

_chosen: int | None = None
_MOST = 1024  #: more than a step has use for, and less than what ends a process that can't start so many


def set_num_threads(threads: int | None) -> None:
    """Set the number of threads of every later step; results do not depend on it.

    Args:
        threads: from 1 to 1024, or None to follow torch (where it is imported), ``OMP_NUM_THREADS`` or the machine
            again.

    Raises:
        ValueError: it is below 1 or above 1024.

    >>> import gradstep
    >>> gradstep.set_num_threads(1)
    >>> gradstep.get_num_threads()
    1
    >>> gradstep.set_num_threads(None)
    """
    global _chosen
    if threads is not None and (type(threads) is not int or not 1 <= threads <= _MOST):
        raise ValueError(f"threads is {shown(threads)}: pass a whole number from 1 to {_MOST}, or None for the default")
    _chosen = threads


def get_num_threads() -> int:
    """The threads that a step may use: what was set, else torch's, else ``OMP_NUM_THREADS``, else the cores.

    They are 1024 at the most.
    """
    return _chosen if _chosen is not None else min(_default_threads(), _MOST)


def _default_threads() -> int:
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    setting = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    known = setting.isdecimal() and len(setting) < 10 and int(setting)
    return known or _core.hardware_threads()
