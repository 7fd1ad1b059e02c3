"""The number of threads of a step."""

from __future__ import annotations

import os
import sys

from gradstep import _core
from gradstep.interop.scalars import shown

__all__ = ["get_num_threads", "set_num_threads"]

_chosen: int | None = None
_MOST = 1024  #: more than a step can use, and few enough for a process to start


def set_num_threads(threads: int | None) -> None:
    """Set the number of threads of all later steps. Results do not depend on it.

    Args:
        threads: from 1 to 1024, or None for the default: torch's number (if torch is imported), ``OMP_NUM_THREADS`` or
            the number of cores.

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
    """The number of threads of a step: the one that was set, torch's, ``OMP_NUM_THREADS`` or the number of cores.

    It is at most 1024.
    """
    return _chosen if _chosen is not None else min(_default_threads(), _MOST)


def _default_threads() -> int:
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    setting = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    known = setting.isdecimal() and len(setting) < 10 and int(setting)
    return known or _core.hardware_threads()
